//! Images of a system: loading, and their symbols.

use std::path::Path;
use std::sync::Arc;

use crate::mem::{Image, SpaceId, Symbol};
use crate::messages::foreign::Severity;
use crate::sim::strand::CodeGuard;
use crate::system::Error;
use crate::system::assembly::LOAD;
use crate::system::running::{KnownImage, Vhost};

impl Vhost {
    /// Loads an ELF image into a space.
    ///
    /// # Errors
    /// A file that is not an image, or bytes outside of the space's memories.
    pub fn load_elf(&self, space: &str, file: &Path) -> Result<(), Error> {
        let space = self.space_id(space.as_bytes())?;
        let image = Image::open(file)?;
        let loader = self.loader();
        for warning in image
            .warnings()
            .iter()
            .filter(|warning| !warning.is_of_mailbox())
        {
            let text = format!("image {} {warning}", file.display());
            loader.note(Severity::Warning, LOAD, text);
        }
        loader.load(space, &image, true)?;
        self.add_image(space, Arc::new(image));
        Ok(())
    }

    /// Symbol of a channel's image, or of an image in a space. In a space, images of channels are
    /// searched first. The value of a function or a variable is its virtual address.
    ///
    /// # Errors
    /// [`Error::NoPlace`] for an unknown channel or space, [`Error::NoSymbol`] for an unknown
    /// symbol, [`Error::Image`] for a file that can't be read again.
    pub fn symbol(&self, place: &str, name: &str) -> Result<Symbol, Error> {
        let _library = CodeGuard::library();
        let inner = &*self.0;
        let is_channel = inner.configured.iter().any(|known| known.name == place);
        let space = inner.space_names.id(place.as_bytes());
        if !is_channel && space.is_none() {
            let channels = inner.configured.iter().map(|known| known.name.as_str());
            let spaces = inner.map.spaces.iter().map(|space| space.name.as_str());
            let spaces = spaces.filter(|space| channels.clone().all(|channel| channel != *space));
            let known: Vec<&str> = channels.clone().chain(spaces).collect();
            return Err(Error::NoPlace {
                name: place.to_owned(),
                known: known.join(", "),
            });
        }
        let known = inner.images.borrow();
        let of_channel = known
            .iter()
            .filter(|known| known.channel.as_deref() == Some(place));
        let in_space = known.iter().filter(|known| Some(known.space) == space);
        let mut files = Vec::new();
        for KnownImage { image, .. } in of_channel.chain(in_space) {
            if files.contains(&image.file()) {
                continue;
            }
            if let [Some(symbol)] = image.symbols([name])? {
                return Ok(symbol);
            }
            files.push(image.file());
        }
        let files = files.iter().map(|file| file.display().to_string());
        Err(Error::NoSymbol {
            name: name.to_owned(),
            place: place.to_owned(),
            files: files.collect::<Vec<_>>().join(", "),
        })
    }

    /// Registers an image that a call has loaded into a space.
    fn add_image(&self, space: SpaceId, image: Arc<Image>) {
        let mut images = self.0.images.borrow_mut();
        // The file may have changed since an earlier load, with other symbols.
        images.retain(|known| known.channel.is_some() || known.image.file() != image.file());
        images.push(KnownImage {
            space,
            channel: None,
            image,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::mem::elf_builder::{ElfBuilder, ElfSegment};

    const MEMORIES: &str = "space:
  core0: [ram: {base: 0x1000, size: 0x1000, path: a, width: 32, backend: static}]
  core1: [ram: {base: 0x1000, size: 0x1000, path: b, width: 32, backend: static}]";

    fn elf(class64: bool, symbols: &[(&'static str, u64, u64)]) -> Vec<u8> {
        let elf = ElfBuilder {
            class64,
            symbols: symbols.to_vec(),
            segments: vec![ElfSegment::at(0x1000, [1, 2, 3, 4], 4)],
            ..ElfBuilder::default()
        };
        elf.build()
    }

    #[test]
    fn symbols_are_found_by_channel_and_by_space() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: Vec<u8>| {
            let file = folder.path().join(name);
            fs::write(&file, bytes).unwrap();
            file
        };
        let first = put(
            "first.elf",
            elf(false, &[("count", 0x1000, 4), ("both", 1, 0)]),
        );
        let read = put("read.elf", elf(true, &[("both", u64::MAX, 8)]));
        let later = put("later.elf", elf(true, &[("late", 0x1234, 0)]));
        let (first, read) = (first.display(), read.display());
        let mailboxes = format!(
            "cpu: {{space: core0, elf: {first}, base: 0x1100, ptr: 32, cache_line: 0}}\n\
             dsp: {{space: core0, elf: {read}, load: false, base: 0x1800, ptr: 64, cache_line: 0}}\n\
             core1: {{space: core1, base: 0x1100, ptr: 32, cache_line: 0}}\n"
        );
        let vhost = Vhost::builder()
            .memories_text(MEMORIES)
            .mailboxes_text(mailboxes)
            .start()
            .unwrap();
        let find = |place, name| vhost.symbol(place, name).map_err(|error| error.to_string());
        let symbol = |value, size| Ok(Symbol { value, size });
        assert_eq!(find("cpu", "count"), symbol(0x1000, 4));
        assert_eq!(find("core0", "count"), symbol(0x1000, 4));
        assert_eq!(find("cpu", "both"), symbol(1, 0));
        assert_eq!(find("dsp", "both"), symbol(u64::MAX, 8));
        let error = find("dsp", "count").unwrap_err();
        assert!(
            error.starts_with("`dsp` has no symbol `count`: "),
            "{error}"
        );
        assert!(error.contains("read.elf"), "{error}");
        let error = find("core1", "late").unwrap_err();
        assert!(error.contains("it has no image"), "{error}");
        vhost.load_elf("core1", &later).unwrap();
        assert_eq!(find("core1", "late"), symbol(0x1234, 0));
        let error = find("core2", "late").unwrap_err();
        let known =
            "no channel and no space `core2`; the configurations have: cpu, dsp, core1, core0";
        assert!(error.contains(known), "{error}");
        put(
            "later.elf",
            elf(false, &[("late", 0x12, 0), ("more", 0, 0)]),
        );
        let error = find("core1", "late").unwrap_err();
        assert!(error.contains("has changed"), "{error}");
        vhost.load_elf("core1", &later).unwrap();
        assert_eq!(find("core1", "late"), symbol(0x12, 0));
    }
}
