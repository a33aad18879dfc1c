//! Instructions that write back and invalidate the data cache of a CPU, for the code that replaces
//! traps of semihosting.

use serde::Deserialize;

use super::error::SemihostingProblem;
use super::nearest::nearest;
use super::number::Number;
use crate::channel::Flush;

/// Instructions as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "the name of a CPU, `vexriscv` or `rocket`, or a list of instructions, as [0x500f]"
)]
pub(super) enum RawFlush {
    Code(Vec<Number>),
    Cpu(String),
}

/// Names of CPUs whose instructions are known.
const CPUS: [&str; 2] = ["vexriscv", "rocket"];

/// Maximum number of instructions in a configuration.
pub(crate) const MAX_FLUSH_INSTRUCTIONS: usize = 16;

impl Flush {
    /// Validates the instructions.
    pub(super) fn of(raw: &RawFlush) -> Result<Self, SemihostingProblem> {
        match raw {
            RawFlush::Cpu(name) => match &**name {
                "vexriscv" => Ok(Self::VexRiscv),
                "rocket" => Ok(Self::Rocket),
                _ => Err(SemihostingProblem::FlushCpu {
                    name: name.clone(),
                    meant: nearest(name, CPUS),
                }),
            },
            RawFlush::Code(code) => {
                if !(1..=MAX_FLUSH_INSTRUCTIONS).contains(&code.len()) {
                    return Err(SemihostingProblem::FlushLength {
                        count: code.len(),
                        most: MAX_FLUSH_INSTRUCTIONS,
                    });
                }
                let words = code.iter().map(|Number(word)| match u32::try_from(*word) {
                    // The lowest bits of compressed instructions differ.
                    Ok(code) if code & 3 == 3 => Ok(code),
                    _ => Err(SemihostingProblem::FlushWord { word: *word }),
                });
                Ok(Self::Code(words.collect::<Result<_, _>>()?))
            }
        }
    }
}
