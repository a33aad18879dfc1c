//! Golden recordings of RTL simulations, read by the command.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{entries, frames, seal};
use crate::vhost_on;

fn golden() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../integration/golden");
    let files = fs::read_dir(folder).unwrap();
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    files
}

#[test]
fn every_message_comes_out_in_another_process() {
    for file in golden() {
        let count = entries(&file).len();
        let output = vhost_on("replay", &file).stdout(0);
        let replayed = format!("replayed: {count} messages in ");
        assert!(
            output.starts_with(&replayed),
            "{}: {output}",
            file.display()
        );
    }
}

#[test]
fn a_changed_payload_is_reported_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let harmed = folder.path().join("harmed.trace");
    for file in golden() {
        let shown = entries(&file);
        let mut prints = shown.iter().filter(|entry| entry["message"] == "Print");
        let print = prints.rfind(|entry| entry["event"] == "message").unwrap();
        let number = print["frame"].as_u64().unwrap();
        let mut bytes = fs::read(&file).unwrap();
        let frame = frames(&bytes)[usize::try_from(number).unwrap()].clone();
        bytes[frame.content.end - 1] ^= 1;
        seal(&mut bytes, &frame);
        fs::write(&harmed, bytes).unwrap();
        let output = vhost_on("replay", &harmed).stdout(1);
        let different = format!("different: frame {number} differs");
        assert!(
            output.starts_with(&different),
            "{}: {output}",
            file.display()
        );
    }
}
