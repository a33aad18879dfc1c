//! Call of firmware to the host program.

/// Call of firmware to a method or command of the host program.
#[derive(Debug, Clone, Copy)]
pub struct HostProgramCall<'a> {
    /// Name of the calling channel.
    pub channel: &'a str,
    /// Arguments, zero-extended. A custom command gets all 19 words after the id, for every count
    /// that firmware sent. Words behind its arguments are undefined.
    pub args: &'a [u64],
}
