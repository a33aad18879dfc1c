//! Files that a run reads and writes.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use vhost::attach;
use vhost::config::vhost_variables::{ATTACH, TRACE};
use vhost::config::{self, ConfigEnvironment, Process};
use vhost::mem::{Image, ImageError};

use super::Args;
use super::channels::IMAGE;
use super::program::Program;
use super::system;
use crate::files::Files;

/// Files of the options, of the variables that replace options, and of the configurations.
pub(super) fn of(args: &Args) -> Files {
    let mut files = Files::default();
    files.input("the image", &args.image);
    if let Some(input) = &args.stdin {
        files.input("the standard input", input);
    }
    if let Some(memory) = &args.memory {
        files.input("the memory configuration", memory);
    }
    if let Some(mailbox) = &args.mailbox {
        files.input("the mailbox configuration", mailbox);
    }
    for named in configured(args) {
        files.input("a file of the configuration", named);
    }
    if let Some(recording) = recording(args) {
        files.output("the recording", recording);
    }
    // An invalid list is reported when the run starts.
    let list = ATTACH.value().unwrap_or_default();
    files.attached(&attach::parse(&list.to_string_lossy()).unwrap_or_default());
    files.attached(args.attach.iter().flatten());
    if let (Some(root), Some(signature)) = (&args.files, &args.signature) {
        files.output("the signature", root.join(signature));
    }
    let save = args.save_at.get(1);
    if let Some(file) = save {
        files.output("the checkpoint to write", file);
    }
    if let Some(file) = &args.restore {
        files.input("the checkpoint to restore", file);
        if let Some(save) = save {
            files.replace(file, save);
        }
    }
    files
}

/// File of the recording.
pub(super) fn recording(args: &Args) -> Option<PathBuf> {
    let given = args.record.clone();
    given.or_else(|| TRACE.value().map(Into::into))
}

/// Files named by the configurations. Errors in these are reported when the run starts.
/// Configurations from pipes are skipped, since they can be read only once.
fn configured(args: &Args) -> Vec<PathBuf> {
    let named = [&args.memory, &args.mailbox];
    if named.into_iter().flatten().any(|file| !file.is_file()) {
        return Vec::new();
    }
    let collector = FileCollector {
        image: args.image.to_str(),
        files: RefCell::default(),
    };
    let read = || {
        let map = match &args.memory {
            Some(file) => {
                let text = config::read_text(file).ok()?;
                config::parse_memory_map(&text, file, &collector).ok()?
            }
            None => {
                args.mailbox.as_ref()?;
                let program = Program::open(&args.image).ok()?;
                let text = system::ram(args, &program).ok()?;
                config::parse_memory_map(&text, Path::new("RAM"), &collector).ok()?
            }
        };
        let file = args.mailbox.as_ref()?;
        let text = config::read_text(file).ok()?;
        config::parse_mailboxes(&text, file, &map, &collector).ok()
    };
    // Parsing collects the files.
    let _ = read();
    collector.files.into_inner()
}

/// Environment that notes the files of a configuration.
struct FileCollector<'a> {
    image: Option<&'a str>,
    files: RefCell<Vec<PathBuf>>,
}

impl ConfigEnvironment for FileCollector<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        match name == IMAGE {
            true => self.image.map(str::to_owned),
            false => Process.variable(name),
        }
    }

    fn image(&self, file: &Path) -> Result<Image, ImageError> {
        self.files.borrow_mut().push(file.to_owned());
        Process.image(file)
    }

    fn is_file(&self, file: &Path) -> bool {
        self.files.borrow_mut().push(file.to_owned());
        Process.is_file(file)
    }

    fn real_name(&self, file: &Path) -> PathBuf {
        Process.real_name(file)
    }
}
