//! `%p`, `%t` and `%s` in names of files.

use std::cell::Cell;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::sim::{further_system_name, system_name};

/// Expands `%p` to the process id, `%t` to the time of the first such name in the process
/// (`20261128T202648Z`), and `%%` to `%`. Any other `%` is unchanged.
pub(super) fn expand(name: &Path) -> PathBuf {
    static START: OnceLock<String> = OnceLock::new();
    expand_with(name, |letter| match letter {
        b'p' => Some(process::id().to_string()),
        b't' => Some(START.get_or_init(|| stamp(now())).clone()),
        b'%' => Some("%".to_owned()),
        _ => None,
    })
}

/// True if the name has `%p`.
pub(super) fn has_process_id(name: &Path) -> bool {
    has(name, b'p')
}

/// Expands only `%s`, to the name of the current system. For a further system, a name without `%s`
/// gets the system's name before its extension, because the first system may write the file of the
/// original name. A device or a FIFO keeps its name.
pub(super) fn of_system(name: &Path) -> PathBuf {
    match further_system_name() {
        Some(further) if !has(name, b's') && !is_other(&expand(name)) => with_part(name, &further),
        _ => expand_with(name, |letter| match letter {
            b's' => Some(system_name().to_string()),
            // Kept for `expand`.
            b'%' => Some("%%".to_owned()),
            _ => None,
        }),
    }
}

/// True if the name has this letter after a `%` that is not escaped.
fn has(name: &Path, letter: u8) -> bool {
    let found = Cell::new(false);
    expand_with(name, |other| {
        found.set(found.get() || other == letter);
        (other == b'%').then(String::new)
    });
    found.get()
}

/// True for a device or a FIFO, which any number of processes may write.
fn is_other(path: &Path) -> bool {
    path.metadata().is_ok_and(|known| !known.is_file())
}

/// Adds a part to a file's name, before its extension: `run.trace` becomes `run.left.trace`.
fn with_part(path: &Path, part: &str) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(".");
    name.push(part);
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// Replaces each letter after a `%` for which there is a value.
fn expand_with(name: &Path, value: impl Fn(u8) -> Option<String>) -> PathBuf {
    let mut expanded = Vec::new();
    let mut rest = name.as_os_str().as_bytes();
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        let (before, from) = rest.split_at(at);
        expanded.extend(before);
        let found = from.get(1).and_then(|letter| value(*letter));
        let (taken, value) = found.map_or((1, "%".to_owned()), |value| (2, value));
        expanded.extend(value.bytes());
        rest = &from[taken..];
    }
    expanded.extend(rest);
    OsString::from_vec(expanded).into()
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Formats a time in UTC, given in seconds since 1970, in the basic format of ISO 8601.
fn stamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86400, seconds % 86400);
    let (mut year, mut day) = (1970, days);
    let length = |year: u64| {
        let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        (365 + u64::from(leap), 28 + u64::from(leap))
    };
    while day >= length(year).0 {
        day -= length(year).0;
        year += 1;
    }
    let february = length(year).1;
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!(
        "{year:04}{month:02}{:02}T{hour:02}{minute:02}{:02}Z",
        day + 1,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_signs_are_expanded_and_the_rest_stays() {
        for (name, expanded) in [
            ("run.trace", "run.trace"),
            ("%p", "17"),
            ("a/%t.%p.trace", "a/then.17.trace"),
            ("100%%p", "100%p"),
            ("%x%", "%x%"),
            ("%%%p%%", "%17%"),
            ("", ""),
        ] {
            let got = expand_with(name.as_ref(), |letter| match letter {
                b'p' => Some("17".to_owned()),
                b't' => Some("then".to_owned()),
                b'%' => Some("%".to_owned()),
                _ => None,
            });
            assert_eq!(got, Path::new(expanded), "{name}");
        }
    }

    /// Compared with `date --utc +%Y%m%dT%H%M%SZ --date @…`.
    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_799, "20000229T235959Z"),
            (1_709_251_199, "20240229T235959Z"),
            (1_735_689_599, "20241231T235959Z"),
            (4_107_542_399, "21000228T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(stamp(seconds), text);
        }
    }

    #[test]
    fn a_part_stands_before_the_extension() {
        for (name, expected) in [
            ("run.trace", "run.left.trace"),
            ("a.b/run", "a.b/run.left"),
            ("%p.trace", "%p.left.trace"),
            (".hidden", ".hidden.left"),
        ] {
            assert_eq!(with_part(name.as_ref(), "left"), Path::new(expected));
        }
    }

    #[test]
    fn the_first_system_has_a_name_only_where_it_is_asked_for() {
        for (name, expected) in [
            ("run.trace", "run.trace"),
            ("run-%s-%p.trace", "run-main-%p.trace"),
            ("%%s-%s%%", "%%s-main%%"),
            ("%", "%"),
        ] {
            assert_eq!(of_system(name.as_ref()), Path::new(expected));
        }
        assert!(!has("%%s".as_ref(), b's') && has("%%%s".as_ref(), b's'));
    }

    #[test]
    fn a_process_has_one_time() {
        assert_eq!(expand("%p-%t".as_ref()), expand("%p-%t".as_ref()));
    }
}
