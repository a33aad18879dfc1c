//! Builds the firmware and the library of a case.

use std::collections::BTreeMap;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_yaml::Value;

use super::case::{Backend, Core, PROGRAM};
use super::simulation::Simulation;
use super::{abi, ccache};
use crate::library::{self, ARTEFACTS, PYTHON, SHIPPED, UNOPTIMISED, VARIANTS, Variant, replace};
use crate::programs;
use crate::tool::{RISCV32, RISCV64, python_packages};

/// Distance between the cores' RAMs, as in integration/rtl/soc.sv.
const RAM_OF_CORE: usize = 0x1_0000;
/// RAM size of a program with a C library, as in `integration/designs`, and the part of it for
/// code.
const RAM_OF_PROGRAM: &str = "1M";
const CODE_OF_PROGRAM: &str = "512K";
/// Offset of the mailbox in a core's RAM, as in tb/monitor.sv.
const MAILBOX: usize = 0x8000;

/// Key of mailbox configurations that is replaced in a case with a cache line.
const NO_LINE: &str = "cache_line: 0";

/// Firmware name of the Rust firmware.
const RUST: &str = "rust";

pub(super) struct Builder<'a> {
    pub(super) root: &'a Path,
    pub(super) packages: PathBuf,
    /// True if ccache is available.
    has_ccache: bool,
    /// True in a quick run: the library with methods in Python is that of the tests, and
    /// configurations name the backend that otherwise is a library's default.
    pub(super) fast_build: bool,
    /// Lock file held during a build: cases may run in several processes.
    lock: PathBuf,
    libraries: BTreeMap<Option<&'static str>, PathBuf>,
    pub(super) built: BTreeMap<String, Simulation>,
}

impl<'a> Builder<'a> {
    /// Builds the library, as every case needs it.
    pub(super) fn new(root: &'a Path, has_ccache: bool, fast_build: bool) -> Result<Self> {
        if root.to_string_lossy().contains(char::is_whitespace) {
            bail!(
                "Verilator and make can't work in {}: there is a space in the path",
                root.display()
            );
        }
        let packages = root.join(python_packages()?);
        let folder = root.join("target/cosim");
        fs::create_dir_all(&folder).context("cannot make target/cosim")?;
        let mut builder = Self {
            root,
            packages,
            has_ccache,
            fast_build,
            lock: folder.join("lock"),
            libraries: BTreeMap::new(),
            built: BTreeMap::new(),
        };
        builder.library(None)?;
        Ok(builder)
    }

    /// Locks out builds of other processes until the file is dropped.
    pub(super) fn exclusive(&self) -> Result<fs::File> {
        let file = fs::File::create(&self.lock).context("cannot open target/cosim/lock")?;
        file.lock().context("cannot lock target/cosim/lock")?;
        Ok(file)
    }

    /// Folder with the library of this feature.
    fn library(&mut self, feature: Option<&'static str>) -> Result<PathBuf> {
        if let Some(folder) = self.libraries.get(&feature) {
            return Ok(folder.clone());
        }
        let _exclusive = self.exclusive()?;
        self.build_library(feature)
    }

    /// Builds the library of this feature, or the shipped one, and returns the folder of a copy.
    pub(super) fn build_library(&mut self, feature: Option<&'static str>) -> Result<PathBuf> {
        if let Some(folder) = self.libraries.get(&feature) {
            return Ok(folder.clone());
        }
        let folder = library::folder(self.root, feature);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        match feature {
            Some(feature) => {
                let optimised = !self.fast_build;
                Variant { feature, optimised }.build(self.root, &folder)?;
            }
            None => {
                let built = library::build_shipped(self.root)?;
                for file in ARTEFACTS {
                    replace(&built.join(file), &folder.join(file))?;
                }
            }
        }
        self.libraries.insert(feature, folder.clone());
        Ok(folder)
    }

    /// Builds the host program in this folder, which contains the library, and returns the folder
    /// of the artefacts. The program is a workspace with a target folder of its own, since there
    /// the library is built without the default hook.
    pub(super) fn host_program(&self, folder: &str) -> Result<PathBuf> {
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--release", "--lib"])
            .args(["--manifest-path", &format!("{folder}/Cargo.toml")])
            .args(["--target-dir", VARIANTS])
            .args(self.fast_build.then_some(UNOPTIMISED).into_iter().flatten())
            .current_dir(self.root);
        run_checked(&mut cargo, folder)?;
        Ok(self.root.join(VARIANTS).join("release"))
    }

    /// Makes a build command use the compiler cache, if it is available.
    pub(super) fn use_ccache(&self, command: &mut Command) {
        if self.has_ccache {
            ccache::use_in(command, self.root);
        }
    }

    pub(super) fn root(&self) -> &'a Path {
        self.root
    }

    /// Folder of the Python packages.
    pub(super) fn packages(&self) -> &Path {
        &self.packages
    }

    /// Path of the command `vhost`, which is built with the library.
    pub(super) fn command(&self) -> PathBuf {
        self.root.join(SHIPPED).join("vhost")
    }

    /// Folder of the library with methods in Python.
    pub(super) fn python_library(&mut self) -> Result<PathBuf> {
        self.library(Some(PYTHON))
    }

    /// Builds the images, one per core, and returns their paths relative to the project's root.
    /// Each is also built for cores of the other width.
    pub(super) fn firmware(&self, case: &str, names: &[String]) -> Result<Vec<String>> {
        let images = self.firmware_with(case, names, Core::SMALL, Cache::default())?;
        images.context("its source can't be fetched")
    }

    /// Builds the images for these cores and their caches. `None` if the source of a program can't
    /// be fetched.
    pub(super) fn firmware_with(
        &self,
        case: &str,
        names: &[String],
        cores: Core,
        cache: Cache<'_>,
    ) -> Result<Option<Vec<String>>> {
        let folder = format!("target/cosim/firmware/{case}");
        fs::create_dir_all(self.root.join(&folder))
            .with_context(|| format!("cannot make {folder}"))?;
        let options = cache.options();
        let build = |(core, name): (usize, &String)| {
            if let Some(program) = name.strip_prefix(PROGRAM) {
                return self.program(program, &folder, cores, cache);
            }
            let bare = format!("{folder}/core{core}.elf");
            if abi::build(self.root, name, &bare, cores, cache)? {
                return Ok(Some(bare));
            }
            if self.root.join(name).is_file() {
                return Ok(Some(name.clone()));
            }
            if name == RUST {
                return self.rust_firmware(core, cores, cache).map(Some);
            }
            let source = ["integration/firmware", "firmware", "."]
                .map(|folder| format!("{folder}/{name}.c"))
                .into_iter()
                .find(|source| self.root.join(source).is_file())
                .with_context(|| format!("there is no firmware {name}"))?;
            let image = |width| format!("{folder}/core{core}-{width}.elf");
            for width in ["rv32", "rv64"] {
                let mut compile = Command::new("firmware/compile.sh");
                compile.args([
                    width,
                    &image(width),
                    &source,
                    "-DTESTBENCH_IS_SYSTEMVERILOG",
                ]);
                compile.args(&options);
                // The firmware of the first core uses the default name.
                compile.args((core > 0).then(|| format!("-DNOTES=\"notes{core}.txt\"")));
                compile.args(addresses(cores.ram, core).map(|address| format!("-Wl,{address}")));
                run_checked(compile.current_dir(self.root), &source)?;
            }
            Ok(Some(image(cores.width)))
        };
        names.iter().enumerate().map(build).collect()
    }

    /// Writes a copy of a mailbox configuration with another cache line, and returns its path
    /// relative to the project's root.
    pub(super) fn mailboxes_with(&self, case: &str, mailboxes: &str, line: u32) -> Result<String> {
        let text = fs::read_to_string(self.root.join(mailboxes))
            .with_context(|| format!("cannot read {mailboxes}"))?;
        if !text.contains(NO_LINE) {
            bail!("{mailboxes} has no `{NO_LINE}` in the place of the case's line");
        }
        let file = format!("target/cosim/firmware/{case}/mailbox.yaml");
        let text = text.replace(NO_LINE, &format!("cache_line: {line}"));
        fs::write(self.root.join(&file), text).with_context(|| format!("cannot write {file}"))?;
        Ok(file)
    }

    /// Writes a copy of a memory configuration with this backend for memories that name none.
    /// Returns its path relative to the project's root, or `None` if the backend is the library's
    /// default.
    pub(super) fn memories_by(
        &self,
        backend: Backend,
        case: &str,
        memories: &str,
    ) -> Result<Option<String>> {
        if !self.fast_build {
            return Ok(None);
        }
        let text = fs::read_to_string(self.root.join(memories))
            .with_context(|| format!("cannot read {memories}"))?;
        let mut map: Value =
            serde_yaml::from_str(&text).with_context(|| format!("cannot parse {memories}"))?;
        name_backend(&mut map, backend.name());
        let folder = format!("target/cosim/firmware/{case}");
        fs::create_dir_all(self.root.join(&folder))
            .with_context(|| format!("cannot make {folder}"))?;
        let file = format!("{folder}/mem.yaml");
        let text = serde_yaml::to_string(&map).context("cannot write the memories")?;
        fs::write(self.root.join(&file), text).with_context(|| format!("cannot write {file}"))?;
        Ok(Some(file))
    }

    /// Builds a program with its C library, in RAM from the first core's on. Returns the image's
    /// path relative to the project's root, or `None` if its source can't be fetched.
    fn program(
        &self,
        name: &str,
        folder: &str,
        cores: Core,
        cache: Cache<'_>,
    ) -> Result<Option<String>> {
        let image = format!("{folder}/{name}.elf");
        let mut place = vec![
            "--base".to_owned(),
            format!("{:#x}", cores.ram),
            "--mem".to_owned(),
            RAM_OF_PROGRAM.to_owned(),
            "--code".to_owned(),
            CODE_OF_PROGRAM.to_owned(),
        ];
        if let Some(hooks) = cache.hooks {
            let header = self.root.join(hooks_file(hooks));
            place.extend(["--include".to_owned(), header.display().to_string()]);
        }
        if let Some(line) = cache.line {
            place.extend(["--define".to_owned(), format!("MB_CACHE_LINE={line}")]);
        }
        let to = self.root.join(&image);
        let is_built = programs::image(self.root, name, cores.architecture, &place, &to)?;
        Ok(is_built.then_some(image))
    }

    /// Builds the firmware in Rust and returns its image, relative to the project's root. Without
    /// cache hooks it is built for cores of both widths.
    fn rust_firmware(&self, core: usize, cores: Core, cache: Cache<'_>) -> Result<String> {
        let flags = addresses(cores.ram, core).map(|address| format!("-Clink-arg={address}"));
        // The hooks define their cache line.
        let features = cache.hooks.map(|hooks| format!("--features={hooks}"));
        let [own, other] = match cores.width {
            "rv64" => [RISCV64, RISCV32],
            _ => [RISCV32, RISCV64],
        };
        let others = Some(other).filter(|_| features.is_none());
        for target in iter::once(own).chain(others) {
            let mut cargo = Command::new("cargo");
            cargo
                .args(["build", "--release", "--locked", "--target", target.name()])
                .args(["--manifest-path", "firmware/rust/Cargo.toml"])
                .args(["--bin", "selftest"])
                .args(["--target-dir", "target/firmware"])
                .args(&features)
                .env("RUSTFLAGS", flags.join(" "))
                .current_dir(self.root);
            run_checked(&mut cargo, "the firmware in Rust")?;
        }
        Ok(format!("target/firmware/{}/release/selftest", own.name()))
    }
}

/// Data cache of the cores of a case.
#[derive(Clone, Copy, Default)]
pub(super) struct Cache<'a> {
    /// Name of a header in `firmware/cache`, without its extension.
    pub(super) hooks: Option<&'a str>,
    /// Cache line of firmware and host.
    pub(super) line: Option<u32>,
}

impl Cache<'_> {
    /// Options of the compiler for firmware in C.
    pub(super) fn options(self) -> Vec<String> {
        let hooks = self.hooks.into_iter();
        let hooks = hooks.flat_map(|hooks| ["-include".into(), hooks_file(hooks)]);
        let line = self.line.map(|line| format!("-DMB_CACHE_LINE={line}"));
        hooks.chain(line).collect()
    }
}

/// Header with the hooks of a kind of core.
fn hooks_file(name: &str) -> String {
    format!("firmware/cache/{name}.h")
}

/// Adds the backend to each memory without a backend.
fn name_backend(value: &mut Value, backend: &str) {
    match value {
        Value::Mapping(map) => {
            if map.contains_key("base") && map.contains_key("size") && !map.contains_key("backend")
            {
                map.insert("backend".into(), backend.into());
            }
            map.values_mut()
                .for_each(|value| name_backend(value, backend));
        }
        Value::Sequence(list) => list
            .iter_mut()
            .for_each(|value| name_backend(value, backend)),
        _ => {}
    }
}

/// Path of the mailbox configuration of this name.
pub(super) fn mailboxes(name: &str) -> String {
    format!("integration/designs/{name}.mailbox.yaml")
}

/// Path of the memory configuration of this name.
pub(super) fn memories(name: &str) -> String {
    format!("integration/designs/{name}.mem.yaml")
}

/// Linker options that place a core's image in its RAM.
fn addresses(first: usize, core: usize) -> [String; 2] {
    let ram = first + RAM_OF_CORE * core;
    let mailbox = ram + MAILBOX;
    [
        format!("--defsym=RAM_BASE={ram:#x}"),
        format!("--defsym=MAILBOX_BASE={mailbox:#x}"),
    ]
}

/// Creates an empty folder; removes previous contents.
pub(super) fn recreate_dir(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Top of a design in Verilog or VHDL: it is named as the last file of its list.
pub(super) fn top(root: &Path, list: &str) -> Result<String> {
    let text =
        fs::read_to_string(root.join(list)).with_context(|| format!("cannot read {list}"))?;
    let last = text
        .lines()
        .last()
        .and_then(|file| Path::new(file).file_stem());
    let top = last.and_then(|stem| stem.to_str());
    Ok(top
        .with_context(|| format!("{list} names no file"))?
        .to_owned())
}

/// Runs a command and prints its output only if it fails.
pub(super) fn run_checked(command: &mut Command, what: &str) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!(
            "{what} can't be built by {program}:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}
