//! Selection of the interpreter, and its path.

use std::path::Path;
use std::process::Command;

use vhost::Progress::Ready;

use crate::fixture::{CORE64, PythonFixture};
use crate::subprocess::Subprocess;

const SHIMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python");

/// Prints origins of modules and executables.
const WHERE: &str = "
import os, sys
@register_callback
async def tell(channel):
    import pymb_rpc
    print('shim:', pymb_rpc.__file__)
    print('prefix:', sys.prefix)
    return 0
";

fn tell() {
    let fixture = PythonFixture::new();
    assert_eq!(fixture.call("tell").unwrap(), Ready(0));
}

#[test]
fn the_staged_shim_is_on_the_path() {
    let printed = Subprocess::with(WHERE).run("starting::the_staged_shim_is_on_the_path", tell);
    if let Some(printed) = printed {
        assert!(
            printed
                .stdout
                .contains("/out/vhost/python/async/pymb_rpc.py"),
            "{}",
            printed.stdout
        );
    }
}

#[test]
fn another_folder_of_shims_may_be_named() {
    let printed = Subprocess::with(WHERE)
        .variable("VHOST_PYTHON_PATH", SHIMS)
        .run("starting::another_folder_of_shims_may_be_named", tell);
    if let Some(printed) = printed {
        let shim = format!("shim: {SHIMS}/async/pymb_rpc.py");
        assert!(printed.stdout.contains(&shim), "{}", printed.stdout);
    }
}

/// Only the library was copied.
#[test]
fn a_library_without_its_folder_brings_its_own_shim() {
    let printed = Subprocess::with(WHERE)
        .variable("VHOST_PYTHON_PATH", "/no/such/folder")
        .run(
            "starting::a_library_without_its_folder_brings_its_own_shim",
            tell,
        );
    if let Some(printed) = printed {
        assert!(
            printed.stdout.contains("shim: <vhost>/async/pymb_rpc.py"),
            "{}",
            printed.stdout
        );
    }
}

/// Virtual environment of the Python that this test was built for. `None` if it can't be created
/// here.
fn environment(folder: &Path) -> Option<()> {
    let python = std::env::var("PYO3_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let made = Command::new(python)
        .args(["-m", "venv", "--without-pip"])
        .arg(folder)
        .status();
    let made = made.is_ok_and(|status| status.success());
    if !made {
        println!("skipped: Python's module venv");
    }
    made.then_some(())
}

#[test]
fn a_virtual_environment_is_entered() {
    let folder = tempfile::tempdir().unwrap();
    let Some(()) = environment(folder.path()) else {
        return;
    };
    let printed = Subprocess::with(WHERE)
        .variable("VIRTUAL_ENV", folder.path())
        .run("starting::a_virtual_environment_is_entered", tell);
    if let Some(printed) = printed {
        let prefix = format!("prefix: {}", folder.path().display());
        assert!(printed.stdout.contains(&prefix), "{}", printed.stdout);
    }
}

#[test]
fn an_environment_of_another_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("lib/python2.7")).unwrap();
    Subprocess::with(WHERE)
        .variable("VIRTUAL_ENV", folder.path())
        .run(
            "starting::an_environment_of_another_version_is_refused",
            || {
                // The next system has the same error.
                for _ in 0..2 {
                    let fixture = PythonFixture::new();
                    let failure = fixture.failure(CORE64, "tell", &[]);
                    assert!(failure.contains("VIRTUAL_ENV is"), "{failure}");
                    assert!(
                        failure.contains("built for another version of Python"),
                        "{failure}"
                    );
                }
            },
        );
}
