//! Expansion of `~`, `$VAR` and `${VAR}` in file names and flags, and of `${VAR}` in other values.

use std::collections::HashSet;

use super::error::{ExpandError, ExpandProblem};
use super::external_inputs::ConfigEnvironment;

/// Expands the text of `key`. A `$` without a name after it is unchanged.
///
/// # Errors
///
/// An unset variable, `${` without both a name and `}`, or `~user`.
pub(super) fn expand(
    text: &str,
    key: &'static str,
    outside: &dyn ConfigEnvironment,
) -> Result<String, ExpandError> {
    let value = |name: &str| outside.variable(name);
    form(text)
        .and_then(|()| expand_with(text, &value).map_err(ExpandProblem::Unset))
        .map_err(|problem| refuse(text, key, problem))
}

/// Expands the text of a flag of `key`. Unset variables expand to nothing.
///
/// # Errors
///
/// As [`expand`], apart from unset variables.
pub(super) fn expand_flag(
    text: &str,
    key: &'static str,
    outside: &dyn ConfigEnvironment,
) -> Result<String, ExpandError> {
    form(text).map_err(|problem| refuse(text, key, problem))?;
    let mut unset = HashSet::new();
    loop {
        let value = |name: &str| {
            let value = outside.variable(name);
            value.or_else(|| unset.contains(name).then(String::new))
        };
        match expand_with(text, &value) {
            Ok(expanded) => return Ok(expanded),
            Err(variable) if unset.contains(&variable) => {
                return Err(refuse(text, key, ExpandProblem::Unset(variable)));
            }
            Err(variable) => unset.insert(variable),
        };
    }
}

/// Expands each `${NAME}` of a text. A `$` before another character than a brace is unchanged,
/// because HDL paths contain it (`$root.tb`). `$${` is a plain `${`.
///
/// # Errors
///
/// An unset variable, or `${` without both a name and `}`.
pub(super) fn expand_braced(
    text: &str,
    outside: &dyn ConfigEnvironment,
) -> Result<String, ExpandProblem> {
    let value = |name: &str| outside.variable(name);
    let (mut expanded, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once("${") {
        if let Some(plain) = before.strip_suffix('$') {
            expanded.push_str(plain);
            expanded.push_str("${");
            rest = behind;
            continue;
        }
        expanded.push_str(before);
        let Some((name, behind)) = behind.split_once('}').filter(|(name, _)| is_name(name)) else {
            return Err(ExpandProblem::Unterminated);
        };
        let found = expand_with(&format!("${{{name}}}"), &value);
        expanded.push_str(&found.map_err(ExpandProblem::Unset)?);
        rest = behind;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn refuse(text: &str, key: &'static str, problem: ExpandProblem) -> ExpandError {
    ExpandError {
        key,
        text: text.to_owned(),
        problem,
    }
}

/// Rejects malformed variables and `~user`, which would stay unexpanded.
fn form(text: &str) -> Result<(), ExpandProblem> {
    if text.starts_with('~') && text != "~" && !text.starts_with("~/") {
        return Err(ExpandProblem::OtherHome);
    }
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('$') {
        rest = match (behind.strip_prefix('$'), behind.strip_prefix('{')) {
            (Some(behind), _) => behind,
            (None, None) => behind,
            (None, Some(name)) => match name.split_once('}') {
                Some((name, behind)) if is_name(name) => behind,
                _ => return Err(ExpandProblem::Unterminated),
            },
        };
    }
    Ok(())
}

/// True for the name of a variable, optionally with a default after `:-`.
fn is_name(text: &str) -> bool {
    let name = text.split_once(":-").map_or(text, |(name, _)| name);
    !name.is_empty() && name.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// Expands a text with the values of `variables`. `~` at the beginning is the variable `HOME`; `$$`
/// is a plain `$`.
///
/// # Errors
///
/// Name of the first variable without a value.
pub(crate) fn expand_with(
    text: &str,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    // `shellexpand` leaves `~` unexpanded if there is no home. Here that is an error, as for any
    // unset variable.
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
