//! `%p` and `%t` in names of files.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Expands `%p` to the process id, `%t` to the time of the process' first such name (`20261128T202648Z`), and `%%` to `%`. Any other
/// `%` stays.
pub(super) fn expand(name: &Path) -> PathBuf {
    static START: OnceLock<String> = OnceLock::new();
    expand_with(name, &process::id().to_string(), || {
        START.get_or_init(|| stamp(now()))
    })
}

/// True where the name has `%p`.
pub(super) fn has_process_id(name: &Path) -> bool {
    expand_with(name, "1", || "") != expand_with(name, "2", || "")
}

fn expand_with<'a>(name: &Path, id: &str, time: impl Fn() -> &'a str) -> PathBuf {
    let mut expanded = Vec::new();
    let mut rest = name.as_os_str().as_bytes();
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        let (before, from) = rest.split_at(at);
        expanded.extend(before);
        let (taken, value) = match from.get(1) {
            Some(b'p') => (2, id),
            Some(b't') => (2, time()),
            Some(b'%') => (2, "%"),
            _ => (1, "%"),
        };
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

/// A time in UTC: seconds since 1970, in the basic format of ISO 8601.
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
    fn what_is_known_is_expanded_and_the_rest_stays() {
        for (name, expanded) in [
            ("run.trace", "run.trace"),
            ("%p", "17"),
            ("a/%t.%p.trace", "a/then.17.trace"),
            ("100%%p", "100%p"),
            ("%x%", "%x%"),
            ("%%%p%%", "%17%"),
            ("", ""),
        ] {
            let got = expand_with(name.as_ref(), "17", || "then");
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
    fn a_process_has_one_time() {
        assert_eq!(expand("%p-%t".as_ref()), expand("%p-%t".as_ref()));
    }
}
