//! `~`, `$VAR` and `${VAR}` in file names and flags.

use super::error::ExpandError;
use super::surroundings::Surroundings;

/// Expands the text of `key`. `~` at the start is the variable `HOME`; `$$` is a plain `$`.
pub(super) fn expand(
    text: &str,
    key: &'static str,
    outside: &dyn Surroundings,
) -> Result<String, ExpandError> {
    let missing = |variable: String| ExpandError {
        key,
        text: text.to_owned(),
        variable,
    };
    // `shellexpand` leaves a `~` without a home as it is; an unset variable is an error wherever it is.
    let home = || outside.variable("HOME");
    if (text == "~" || text.starts_with("~/")) && home().is_none() {
        return Err(missing("HOME".to_owned()));
    }
    let variable = |name: &str| outside.variable(name).map(Some).ok_or(());
    match shellexpand::full_with_context(text, home, variable) {
        Ok(expanded) => Ok(expanded.into_owned()),
        Err(error) => Err(missing(error.var_name)),
    }
}
