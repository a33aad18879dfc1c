//! Identity of files on disk.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// True if both paths refer to one file, also by symbolic and hard links.
///
/// A recording is read while an output is written, so the output must not be the recording. Neither
/// file is opened, because opening a pipe waits for its other end.
pub fn is_same_file(one: impl AsRef<Path>, other: impl AsRef<Path>) -> bool {
    let id = |path: &Path| path.metadata().ok().map(|of| (of.dev(), of.ino()));
    id(one.as_ref()).is_some_and(|one| id(other.as_ref()) == Some(one))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_the_same_file_and_copies_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let [one, copy, hard, soft, gone] =
            ["one", "copy", "hard", "soft", "gone"].map(|name| folder.path().join(name));
        fs::write(&one, "x").unwrap();
        fs::copy(&one, &copy).unwrap();
        fs::hard_link(&one, &hard).unwrap();
        symlink("one", &soft).unwrap();
        for (other, expected) in [(&one, true), (&copy, false), (&hard, true), (&soft, true)] {
            assert_eq!(is_same_file(&one, other), expected, "{}", other.display());
        }
        assert!(!is_same_file(&one, &gone) && !is_same_file(&gone, &gone));
    }
}
