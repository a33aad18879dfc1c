//! Known name that is similar to an unknown one.

/// Most similar known name, with at most two edits; case is ignored. `None` if none is similar.
pub(super) fn nearest(
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    // The distance takes quadratic time.
    if name.len() > 32 {
        return None;
    }
    let name = name.to_lowercase();
    let distances = known.into_iter().map(|known| {
        (
            strsim::damerau_levenshtein(&name, &known.to_lowercase()),
            known,
        )
    });
    let near = distances.filter(|(distance, known)| *distance <= 2 && *distance < known.len());
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
