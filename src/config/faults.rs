//! Injected faults of a channel.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use mailbox_rs::Errno;

use super::nearest::nearest;
use super::schema::RawFaults;
use super::service_error::ServiceProblem;
use crate::channel::Faults;

/// Probability of 1. Probabilities are in units of 2⁻⁶³.
const ONE: u64 = 1 << 63;

/// Parses a number from 0 to 1, or a percentage.
fn probability(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, scale) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let value = number.parse::<f64>().ok()? / scale;
    // The product is exact but for the last bits of a small one.
    let is_valid = (0.0..=1.0).contains(&value);
    is_valid.then_some((value * ONE as f64) as u64)
}

/// Maximum delay in ticks.
const MAX_DELAY: u64 = 1_000_000_000;

/// Key of partial transfers.
const SHORT: &str = "short";

/// Key of flipped bits.
const FLIP: &str = "flip";

/// Validates the faults of a channel.
pub(super) fn validate(raw: RawFaults) -> Result<Option<Faults>, ServiceProblem> {
    let RawFaults {
        seed,
        files,
        memory,
        calls,
        delay,
    } = raw;
    let (files, short) = rules("files", files, Some(SHORT))?;
    let (memory, flip) = rules("memory", memory, Some(FLIP))?;
    let (calls, _) = rules("calls", calls, None)?;
    let faults = Faults {
        seed: seed.map_or(0, |seed| seed.0),
        files,
        short,
        memory,
        flip,
        calls,
        delay: delay.map(|text| range(&text)).transpose()?,
    };
    let nothing = Faults {
        seed: faults.seed,
        ..Faults::default()
    };
    Ok((faults != nothing).then_some(faults))
}

/// Rules of a group, and the probability of the group's fault that is not a failure.
fn rules(
    group: &'static str,
    written: BTreeMap<String, String>,
    other: Option<&'static str>,
) -> Result<(Vec<(Errno, u64)>, u64), ServiceProblem> {
    let mut rules = Vec::new();
    let mut of_other = 0;
    let mut sum = 0_u64;
    for (name, text) in written {
        let Some(share) = probability(&text) else {
            return Err(ServiceProblem::Probability { group, name, text });
        };
        if other == Some(&name) {
            of_other = share;
            continue;
        }
        let named = |errno: &&Errno| {
            let known = errno.name();
            known.is_some_and(|known| known.eq_ignore_ascii_case(&name))
        };
        let Some(errno) = Errno::ALL.iter().find(named).copied() else {
            let known = Errno::ALL.iter().filter_map(|errno| errno.name());
            let meant = nearest(&name, known.chain(other));
            return Err(ServiceProblem::Fault { group, name, meant });
        };
        sum = sum.saturating_add(share);
        rules.push((errno, share));
    }
    if sum > ONE {
        return Err(ServiceProblem::Certain { group });
    }
    Ok((rules, of_other))
}

/// Inclusive range of ticks, such as `0..1000` or `5`.
fn range(text: &str) -> Result<RangeInclusive<u64>, ServiceProblem> {
    let number = |digits: &str| digits.trim().replace('_', "").parse::<u64>().ok();
    let ends = match text.split_once("..") {
        Some((from, to)) => number(from).zip(number(to.trim_start_matches('='))),
        None => number(text).map(|ticks| (ticks, ticks)),
    };
    match ends {
        Some((from, to)) if from <= to && to <= MAX_DELAY => Ok(from..=to),
        _ => {
            let text = text.to_owned();
            Err(ServiceProblem::Delay { text })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_shares_of_one_or_percentages() {
        let half = Some(1 << 62);
        for (text, expected) in [
            ("0", Some(0)),
            ("1", Some(ONE)),
            ("100%", Some(ONE)),
            ("0.5", half),
            ("50 %", half),
            (" 5e-1", half),
            ("1.1", None),
            ("101%", None),
            ("-0.1", None),
            ("nan", None),
            ("inf", None),
            ("often", None),
            ("", None),
            ("%", None),
        ] {
            assert_eq!(probability(text), expected, "{text}");
        }
        let small = probability("1e-6").unwrap();
        assert_eq!(small, probability("0.0001%").unwrap());
        assert_eq!(small / 1_000_000_000, 9223);
    }

    #[test]
    fn delays_are_ranges_of_ticks_with_their_ends() {
        for (text, expected) in [
            ("0..1000", Some(0..=1000)),
            ("3..=7", Some(3..=7)),
            (" 1_000 .. 2_000 ", Some(1000..=2000)),
            ("5", Some(5..=5)),
            ("7..3", None),
            ("0..", None),
            ("..5", None),
            ("0..1000000001", None),
            ("-1..5", None),
            ("soon", None),
        ] {
            assert_eq!(range(text).ok(), expected, "{text}");
        }
    }
}
