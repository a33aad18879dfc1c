//! Instructions that write back and drop the data cache of a CPU.

/// Instructions that write back and drop all lines of a data cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flush {
    /// Instruction of VexRiscv that drops all lines of its write-through cache.
    VexRiscv,
    /// Loads that displace all lines of a Rocket with a direct-mapped cache of 4 KiB with lines of
    /// 64 bytes.
    Rocket,
    /// Instructions of the configuration, each of 32 bits. They may change `t2` and `t3`, and run
    /// at any address.
    Code(Vec<u32>),
}
