//! Instructions that write back and drop the data cache of a CPU.

/// Instructions that write back and drop all lines of a data cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flush {
    /// Those of VexRiscv: one instruction drops all lines of its write-through cache.
    VexRiscv,
    /// Those of Rocket with a cache of 4 KiB, direct mapped, with lines of 64 bytes: loads displace all lines.
    Rocket,
    /// Those of the configuration: each has 32 bits. They may change `t2` and `t3`, and run at any address.
    Code(Vec<u32>),
}
