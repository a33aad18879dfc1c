//! Files that the build script stages for build scripts of dependent crates.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Files below a folder, by relative path.
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

const HERE: &str = env!("CARGO_MANIFEST_DIR");

/// Files of a dependent crate. Its build script writes the variables that it receives to a file.
const DEPENDENT: [(&str, &str); 3] = [
    (
        "Cargo.toml",
        "[package]\nname = 'dependent'\nedition = '2024'\n[dependencies]\nvhost = { path = '../vhost' }\n[workspace]\n",
    ),
    (
        "build.rs",
        r#"
        fn main() {
            for name in ["SV", "PYTHON"] {
                std::fs::write(name, std::env::var(format!("DEP_VHOST_{name}")).unwrap()).unwrap();
            }
        }
        "#,
    ),
    ("src/lib.rs", ""),
];

fn write(file: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
}

/// Copies the files that the build script needs: an empty library without dependencies builds at
/// once.
fn copy_package(to: &Path) {
    let manifest = fs::read_to_string(Path::new(HERE).join("Cargo.toml")).unwrap();
    let (package, rest) = manifest.split_once("[features]").unwrap();
    let (_, rest) = rest.split_once("[build-dependencies]").unwrap();
    let (needed, _) = rest.split_once("[dev-dependencies]").unwrap();
    write(
        &to.join("Cargo.toml"),
        format!("{package}[features]\nhost = []\npython = []\n[build-dependencies]{needed}"),
    );
    write(&to.join("src/lib.rs"), "");
    let build = fs::read_to_string(Path::new(HERE).join("build.rs")).unwrap();
    // C sources named in the build script.
    let named = build.split('"').filter(|text| text.ends_with(".c"));
    for file in named.chain(["build.rs"]) {
        write(
            &to.join(file),
            fs::read(Path::new(HERE).join(file)).unwrap(),
        );
    }
    for folder in ["sv", "python"] {
        for (file, content) in files(&Path::new(HERE).join(folder)) {
            write(&to.join(folder).join(file), content);
        }
    }
}

#[test]
fn a_dependent_crate_gets_the_folders_and_changed_files() {
    // The same folder in each run, so that little must be built.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("staging");
    let (vhost, dependent) = (folder.join("vhost"), folder.join("dependent"));
    copy_package(&vhost);
    for (file, content) in DEPENDENT {
        write(&dependent.join(file), content);
    }
    fs::copy(
        Path::new(HERE).join("Cargo.lock"),
        dependent.join("Cargo.lock"),
    )
    .unwrap();
    let build = || {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--offline", "--target-dir"]);
        let output = cargo
            .arg(folder.join("target"))
            .current_dir(&dependent)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let staged = |name: &str| PathBuf::from(fs::read_to_string(dependent.join(name)).unwrap());

    build();
    assert!(files(&staged("SV")) == files(&vhost.join("sv")));
    for module in [
        "async/pymb_registry.py",
        "async/pymb_rpc.py",
        "cocotb/pymb_registry.py",
        "cocotb/pymb_rpc.py",
        "vhost/__init__.py",
    ] {
        let there = fs::read(staged("PYTHON").join(module)).unwrap();
        assert!(
            there == fs::read(Path::new(HERE).join("python").join(module)).unwrap(),
            "{module}"
        );
    }

    for (name, file) in [
        ("SV", "sv/mailbox_sv/mailbox.sv"),
        ("PYTHON", "python/async/pymb_rpc.py"),
    ] {
        let mut content = fs::read(vhost.join(file)).unwrap();
        content.extend(b"\n");
        fs::write(vhost.join(file), &content).unwrap();
        build();
        let (_, place) = file.split_once('/').unwrap();
        assert!(
            fs::read(staged(name).join(place)).unwrap() == content,
            "{file}"
        );
    }
}
