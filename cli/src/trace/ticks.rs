//! Range of ticks on the command line.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// Range of ticks, both ends included: 7, 7..9, 7.. or ..9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticks {
    first: u64,
    last: u64,
}

impl Ticks {
    /// Range with both ends.
    pub(super) fn range(self) -> RangeInclusive<u64> {
        self.first..=self.last
    }
}

impl FromStr for Ticks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let tick = |text: &str, without| match text {
            "" => Ok(without),
            _ => text
                .parse()
                .map_err(|_| format!("`{text}` is not a number of ticks")),
        };
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        if text.is_empty() {
            return Err("a range is 7, 7..9, 7.. or ..9".to_owned());
        }
        let (first, last) = (tick(first, 0)?, tick(last, u64::MAX)?);
        if first > last {
            return Err(format!("tick {first} is after tick {last}"));
        }
        Ok(Self { first, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_ticks_have_both_ends() {
        let ticks = |text: &str| text.parse().map(|Ticks { first, last }| (first, last));
        assert_eq!(ticks("7"), Ok((7, 7)));
        assert_eq!(ticks("7..9"), Ok((7, 9)));
        assert_eq!(ticks("7.."), Ok((7, u64::MAX)));
        assert_eq!(ticks("..9"), Ok((0, 9)));
        assert_eq!(ticks(".."), Ok((0, u64::MAX)));
        for wrong in ["", "x", "9..7", "1..x", "-1", "1...3"] {
            assert!(ticks(wrong).is_err(), "{wrong}");
        }
    }
}
