//! `~`, `$VAR` and `${VAR}` in file names and flags.

use super::error::ExpandError;
use super::surroundings::Surroundings;

/// Expands the text of `key`.
pub(super) fn expand(
    text: &str,
    key: &'static str,
    outside: &dyn Surroundings,
) -> Result<String, ExpandError> {
    expand_with(text, &|name| outside.variable(name)).map_err(|variable| ExpandError {
        key,
        text: text.to_owned(),
        variable,
    })
}

/// Expands a text by the values of `variables`. `~` at the start is the variable `HOME`; `$$` is a plain `$`.
///
/// # Errors
///
/// The name of the first variable that has no value.
pub(crate) fn expand_with(
    text: &str,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    // `shellexpand` leaves a `~` without a home as it is; an unset variable is an error wherever it is.
    let home = || variables("HOME");
    if (text == "~" || text.starts_with("~/")) && home().is_none() {
        return Err("HOME".to_owned());
    }
    let variable = |name: &str| variables(name).map(Some).ok_or(());
    match shellexpand::full_with_context(text, home, variable) {
        Ok(expanded) => Ok(expanded.into_owned()),
        Err(error) => Err(error.var_name),
    }
}
