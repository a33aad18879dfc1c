//! Content of a file, which may have large holes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Size of a page in bytes.
const PAGE: usize = 4096;

/// Bytes of a file. Only pages with other bytes than 0 are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Content {
    len: u64,
    /// Pages by number. A page of zeros is omitted.
    pages: BTreeMap<u64, Vec<u8>>,
}

impl Content {
    /// Reads the data of a file on disk, and skips its holes.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn of_file(file: &File) -> io::Result<Self> {
        let mut content = Self::default();
        let len = file.metadata()?.len();
        let mut buffer = vec![0; 16 * PAGE];
        let mut at = 0;
        while at < len {
            at = match seek(file, SeekFrom::Data(at)) {
                Err(Errno::NXIO) => break,
                found => found?,
            };
            let hole = seek(file, SeekFrom::Hole(at))?;
            while at < hole {
                let max = buffer
                    .len()
                    .min(usize::try_from(hole - at).unwrap_or(usize::MAX));
                let bytes = file.read_at(&mut buffer[..max], at)?;
                if bytes == 0 {
                    break;
                }
                content.write(at, &buffer[..bytes]);
                at += bytes as u64;
            }
        }
        content.resize(len);
        Ok(content)
    }

    /// Number of bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True for a file without bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Changes the number of bytes. Added bytes are 0.
    pub fn resize(&mut self, len: u64) {
        if len < self.len {
            let (number, offset) = place(len);
            self.pages.split_off(&(number + u64::from(offset > 0)));
            if let Some(page) = self.pages.get_mut(&number) {
                page[offset..].fill(0);
                self.drop_zeros(number);
            }
        }
        self.len = len;
    }

    /// At most `max` bytes, starting at a position.
    pub fn read(&self, at: u64, max: u64) -> Vec<u8> {
        let bytes = max.min(self.len.saturating_sub(at));
        (at..at + bytes).map(|at| self.byte(at)).collect()
    }

    /// Replaces bytes, starting at a position. A gap before them is filled with zeros.
    pub fn write(&mut self, at: u64, mut data: &[u8]) {
        let mut at = at;
        while !data.is_empty() {
            let (number, offset) = place(at);
            let (now, later) = data.split_at(data.len().min(PAGE - offset));
            let page = self.pages.entry(number).or_insert_with(|| vec![0; PAGE]);
            page[offset..offset + now.len()].copy_from_slice(now);
            self.drop_zeros(number);
            at += now.len() as u64;
            data = later;
            self.len = self.len.max(at);
        }
    }

    fn byte(&self, at: u64) -> u8 {
        let (number, offset) = place(at);
        self.pages.get(&number).map_or(0, |page| page[offset])
    }

    /// Removes a page that has only zeros.
    fn drop_zeros(&mut self, number: u64) {
        let is_zero = |page: &Vec<u8>| page.iter().all(|byte| *byte == 0);
        if self.pages.get(&number).is_some_and(is_zero) {
            self.pages.remove(&number);
        }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        let mut content = Self::default();
        content.write(0, &bytes);
        content
    }
}

/// Page of a position, and the offset in it.
fn place(at: u64) -> (u64, usize) {
    (at / PAGE as u64, (at % PAGE as u64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random operations have the same results as on a vector and on a file.
    #[test]
    fn content_is_that_of_a_file() -> io::Result<()> {
        for seed in 0..200 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let file = tempfile::tempfile()?;
            let (mut content, mut bytes) = (Content::default(), Vec::new());
            for _ in 0..20 {
                let at = rng.usize(..3 * PAGE);
                if rng.bool() {
                    let data = vec![rng.u8(..3); rng.usize(1..2 * PAGE)];
                    content.write(at as u64, &data);
                    file.write_all_at(&data, at as u64)?;
                    bytes.resize(bytes.len().max(at + data.len()), 0);
                    bytes[at..at + data.len()].copy_from_slice(&data);
                } else {
                    content.resize(at as u64);
                    file.set_len(at as u64)?;
                    bytes.resize(at, 0);
                }
                let max = rng.usize(..2 * PAGE);
                let expected = bytes.iter().skip(at).take(max).copied().collect::<Vec<_>>();
                assert_eq!(content.read(at as u64, max as u64), expected, "seed {seed}");
                assert_eq!(content, Content::from(bytes.clone()).with_len(bytes.len()));
            }
            assert_eq!(content, Content::of_file(&file)?, "seed {seed}");
        }
        Ok(())
    }

    impl Content {
        fn with_len(mut self, len: usize) -> Self {
            self.resize(len as u64);
            self
        }
    }

    #[test]
    fn a_hole_of_gigabytes_is_skipped() -> io::Result<()> {
        let file = tempfile::tempfile()?;
        file.write_all_at(b"end", 1 << 33)?;
        let mut content = Content::default();
        content.write(1 << 33, b"end");
        assert_eq!(content, Content::of_file(&file)?);
        assert_eq!(content.read((1 << 33) - 1, 9), b"\0end");
        assert_eq!(content.pages.len(), 1);
        Ok(())
    }
}
