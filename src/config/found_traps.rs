//! Traps of semihosting in images, on which a configuration depends. A recording has the results.

use super::diagnostic::DiagnosticKind;
use super::file_context::FileContext;
use super::stub_place::{FoundPlace, Surroundings};
use crate::mem::{Image, ImageError, STUB_SIZE, Traps, count_traps};

/// Number of traps in the image of a channel.
pub(super) fn count(
    context: FileContext<'_>,
    channel: &str,
    image: &Image,
) -> Result<usize, ImageError> {
    let count = || Ok(count_traps(image)?.to_string());
    let decided = context
        .outside
        .decide(&format!("traps of {channel}"), &count)?;
    Ok(decided.parse().unwrap_or_default())
}

/// Place for the code that replaces a channel's traps. Reports a note on the place. `None` without
/// traps or without a place.
pub(super) fn place(
    context: FileContext<'_>,
    channel: &str,
    image: &Image,
    surroundings: &Surroundings<'_>,
) -> Result<Option<u64>, ImageError> {
    let find = || {
        let traps = Traps::of(image)?;
        let channel = channel.to_owned();
        if traps.whole.is_empty() {
            // Traps of Arm are left to the testbench. A truncated trap is reported when the image
            // is loaded.
            if traps.truncated.is_empty() && count_traps(image)? == 0 {
                context.report(DiagnosticKind::NoTraps {
                    channel,
                    image: image.file().to_path_buf(),
                });
            }
            return Ok(String::new());
        }
        Ok(match surroundings.find(&traps)? {
            Some(FoundPlace { address, gap }) => {
                context.report(DiagnosticKind::StubFound {
                    channel,
                    address,
                    start: gap.start,
                    last: gap.end - 1,
                });
                address.to_string()
            }
            None => {
                context.report(DiagnosticKind::NoStub {
                    channel,
                    image: image.file().to_path_buf(),
                    size: STUB_SIZE,
                });
                String::new()
            }
        })
    };
    let decided = context
        .outside
        .decide(&format!("stub of {channel}"), &find)?;
    Ok(decided.parse().ok())
}
