//! What the host costs a simulation: the same firmware and the same clocks, with and without it, in turn.

use anyhow::Result;

use super::build::Builder;

/// Prints the ratios.
pub(super) fn run(_: &mut Builder<'_>) -> Result<()> {
    anyhow::bail!("to be written")
}
