//! Images of a mailbox configuration, each read once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::diagnostic::DiagnosticKind;
use super::error::ChannelProblem;
use super::expand::expand;
use super::external_inputs::ConfigEnvironment;
use super::file_context::FileContext;
use super::name::named;
use crate::mem::Image;

/// Images read so far, by the canonical names of their files.
#[derive(Default)]
pub(super) struct Images(BTreeMap<PathBuf, Read>);

/// Image that was read.
struct Read {
    image: Arc<Image>,
    /// True if a channel loads it.
    loaded: bool,
}

impl Images {
    /// Reads the image of a channel, as its key `elf` names it.
    pub(super) fn read(
        &mut self,
        file: &str,
        load: bool,
        outside: &dyn ConfigEnvironment,
    ) -> Result<Arc<Image>, ChannelProblem> {
        let file = PathBuf::from(named("elf", expand(file, "elf", outside)?)?);
        let real = outside.real_name(&file);
        if let Some(read) = self.0.get_mut(&real) {
            read.loaded |= load;
            return Ok(Arc::clone(&read.image));
        }
        let image = Arc::new(outside.image(&file)?);
        let read = Read {
            image: Arc::clone(&image),
            loaded: load,
        };
        self.0.insert(real, read);
        Ok(image)
    }

    /// Warns of doubtful images. For an image that is not loaded, only its mailbox section matters.
    pub(super) fn warn(&self, context: FileContext<'_>) {
        for Read { image, loaded } in self.0.values() {
            for warning in image.warnings() {
                if *loaded || warning.is_of_mailbox() {
                    context.report(DiagnosticKind::Image {
                        image: image.file().to_path_buf(),
                        warning: warning.clone(),
                    });
                }
            }
        }
    }
}
