//! What the build script stages for the build scripts of dependent crates.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The files below a folder, by their place in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let place = path.strip_prefix(folder).unwrap().to_owned();
                found.insert(place, fs::read(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn system_verilog_is_staged_as_it_is() {
    let staged = Path::new(env!("OUT_DIR")).join("vhost/sv");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sv");
    let files_of_source = files(&source);
    assert!(files_of_source.contains_key(Path::new("mailbox_sv/mailbox.sv")));
    assert!(files(&staged) == files_of_source);
}
