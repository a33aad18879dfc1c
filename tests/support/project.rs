//! Files of the project.

use std::fs;
use std::path::Path;

/// Root folder of the project.
pub const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Calls `with` for each file of the project, except build output and hidden folders: path relative
/// to the project's root, and content. Files that are not UTF-8 are left out.
pub fn each_file(mut with: impl FnMut(&Path, &str)) {
    each_file_below(Path::new(PROJECT), &mut with);
}

/// Calls `with` for each Rust file, as [`each_file`].
pub fn each_rust_file(mut with: impl FnMut(&Path, &str)) {
    each_file(|path, text| {
        if path.extension().is_some_and(|extension| extension == "rs") {
            with(path, text);
        }
    });
}

fn each_file_below(folder: &Path, with: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            each_file_below(&path, with);
        } else if let Ok(text) = fs::read_to_string(&path) {
            with(path.strip_prefix(PROJECT).unwrap(), &text);
        }
    }
}
