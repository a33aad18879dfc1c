//! Statistics of a memory file's values. They show if a file was written for words of another
//! width.

/// Counts of the values read so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) values: u64,
    /// Number of digits `x`, `z` or `?`.
    pub(super) unknown_digits: u64,
    /// Line of the first value.
    pub(super) first_line: u64,
    last_line: u64,
    /// Number of digits of each value, while all values have the same number.
    digits: Option<u64>,
    /// True if a line has several values.
    several: bool,
}

impl Shape {
    /// Counts a value with this number of digits.
    pub(super) fn add(&mut self, digits: u64, line: u64) {
        if self.values == 0 {
            self.first_line = line;
            self.digits = Some(digits);
        } else {
            self.several |= line == self.last_line;
            self.digits = self.digits.filter(|before| *before == digits);
        }
        self.last_line = line;
        self.values += 1;
    }

    /// Returns the number of digits that every value has.
    pub(super) fn digits(&self) -> Option<u64> {
        self.digits
    }

    /// True if every value is a byte of two digits, and a line has several, as in the output of
    /// `objcopy -O verilog`.
    pub(super) fn is_bytes(&self) -> bool {
        self.digits == Some(2) && self.several
    }
}
