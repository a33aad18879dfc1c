//! Structures and numbers of Linux on RISC-V (asm-generic), for programs that use HTIF.

use mailbox_rs::{FileStatus, Timestamp};

/// Descriptor of a directory that stands for the working directory.
pub(super) const AT_FDCWD: i32 = -100;
/// Flag of unlinkat: the path is a directory.
pub(super) const AT_REMOVEDIR: u64 = 0x200;
/// Flag of fstatat and statx: an empty path means the descriptor itself.
pub(super) const AT_EMPTY_PATH: u64 = 0x1000;

/// Commands of fcntl.
pub(super) const F_GETFD: u64 = 1;
pub(super) const F_SETFD: u64 = 2;
pub(super) const F_GETFL: u64 = 3;
pub(super) const F_SETFL: u64 = 4;

/// Flag that every open file of a 64-bit kernel has.
pub(super) const O_LARGEFILE: u32 = 0o100_000;

/// Size of a block of a file, for `st_blksize`.
const BLOCK: u32 = 4096;

/// `STATX_BASIC_STATS`: the fields that stat has as well.
const STATX_BASIC: u32 = 0x7ff;

/// Bytes of a structure, appended field by field.
struct Fields<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Fields<N> {
    fn new() -> Self {
        Self {
            bytes: [0; N],
            at: 0,
        }
    }

    fn put(&mut self, field: &[u8]) -> &mut Self {
        let end = self.at + field.len();
        if let Some(place) = self.bytes.get_mut(self.at..end) {
            place.copy_from_slice(field);
        }
        self.at = end;
        self
    }

    fn u16(&mut self, field: u16) -> &mut Self {
        self.put(&field.to_le_bytes())
    }

    fn u32(&mut self, field: u32) -> &mut Self {
        self.put(&field.to_le_bytes())
    }

    fn u64(&mut self, field: u64) -> &mut Self {
        self.put(&field.to_le_bytes())
    }
}

/// `struct stat`, of 128 bytes. Device and owner are 0: firmware sees one file system, and no
/// users.
pub(super) fn stat(status: &FileStatus) -> [u8; 128] {
    let mut fields = Fields::new();
    fields
        .u64(0) // st_dev
        .u64(status.inode)
        .u32(status.mode)
        .u32(status.links)
        .u32(0) // st_uid
        .u32(0) // st_gid
        .u64(0) // st_rdev
        .u64(0)
        .u64(status.size)
        .u32(BLOCK)
        .u32(0)
        .u64(status.blocks);
    for time in [status.accessed, status.modified, status.changed] {
        let Timestamp {
            seconds,
            nanoseconds,
        } = time;
        fields.put(&seconds.to_le_bytes()).u64(nanoseconds);
    }
    fields.bytes
}

/// `struct statx`, of 256 bytes.
pub(super) fn statx(status: &FileStatus) -> [u8; 256] {
    let mut fields = Fields::new();
    fields
        .u32(STATX_BASIC)
        .u32(BLOCK)
        .u64(0) // stx_attributes
        .u32(status.links)
        .u32(0) // stx_uid
        .u32(0) // stx_gid
        // The type and all permissions are in the lower half.
        .u16(status.mode as u16)
        .u16(0)
        .u64(status.inode)
        .u64(status.size)
        .u64(status.blocks)
        .u64(0); // stx_attributes_mask
    let never = Timestamp {
        seconds: 0,
        nanoseconds: 0,
    };
    // stx_btime, the second, is not in the mask.
    for time in [status.accessed, never, status.changed, status.modified] {
        let Timestamp {
            seconds,
            nanoseconds,
        } = time;
        // The value is below 2³²; the upper half is reserved.
        fields.put(&seconds.to_le_bytes()).u64(nanoseconds);
    }
    fields.bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> FileStatus {
        let time = |seconds| Timestamp {
            seconds,
            nanoseconds: 9,
        };
        FileStatus {
            size: 0x1122_3344_5566,
            inode: 77,
            blocks: 8,
            accessed: time(1),
            modified: time(2),
            changed: time(3),
            mode: 0o100_644,
            links: 5,
        }
    }

    /// Checks the offsets of `struct stat` in `asm-generic/stat.h`.
    #[test]
    fn fields_of_stat_are_where_linux_has_them() {
        let bytes = stat(&status());
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let half = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!((word(8), half(16), half(20)), (77, 0o100_644, 5));
        assert_eq!((word(48), half(56), word(64)), (0x1122_3344_5566, 4096, 8));
        let times = [72, 88, 104].map(word);
        assert_eq!((times, word(80)), ([1, 2, 3], 9));
        assert_eq!(word(120), 0);
    }

    /// Checks the offsets of `struct statx` in `linux/stat.h`.
    #[test]
    fn fields_of_statx_are_where_linux_has_them() {
        let bytes = statx(&status());
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let half = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!((half(0), half(16), half(28)), (0x7ff, 5, 0o100_644));
        assert_eq!((word(32), word(40), word(48)), (77, 0x1122_3344_5566, 8));
        let times = [64, 80, 96, 112].map(word);
        assert_eq!((times, half(72)), ([1, 0, 3, 2], 9));
    }
}
