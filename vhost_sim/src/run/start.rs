//! Start of a system and its units.

use std::collections::hash_map::DefaultHasher;
use std::path::Path;
use std::sync::{Arc, Mutex};

use vhost::Vhost;
use vhost::bus::Observation;
use vhost::messages::foreign::{Report, Severity};

use super::{Failed, Reports, Run, Unit};
use crate::clients::Clients;
use crate::disk::{Streams, VARIABLE};
use crate::environment::{self, Sink};
use crate::event::{Log, channel_name, channel_number, lock};
use crate::firmware::Firmware;
use crate::methods;
use crate::scenario::Scenario;
use crate::session::{Session, Shared};
use crate::space::Space;
use crate::wire::Layout;

impl<'a> Run<'a> {
    pub(super) fn start(
        scenario: &'a Scenario,
        folder: &'a Path,
        tapped: bool,
    ) -> Result<Self, Failed> {
        let fail = |text: String| Failed {
            phase: "start",
            tick: 0,
            channel: None,
            text,
        };
        let log = Log::default();
        let mut rng = fastrand::Rng::with_seed(scenario.channels.len() as u64);
        let mut spaces: Vec<Space> = (0..)
            .zip(&scenario.channels)
            .map(|(number, channel)| Space::new(number, channel, &log, |bytes| rng.fill(bytes)))
            .collect();
        environment::prepare(folder, scenario).map_err(|error| fail(error.to_string()))?;
        let sink = Sink::default();
        let reports = Arc::new(Mutex::new(Reports {
            errors: vec![0; scenario.channels.len()],
            ..Reports::default()
        }));
        let opener = log.clone();
        let mut builder = Vhost::builder()
            .memories_text(environment::memories(&spaces))
            .mailboxes_text(environment::mailboxes(scenario))
            .variable(VARIABLE.0, VARIABLE.1)
            .virtual_file("sim", move |path: &str, _flags| {
                crate::special::open(&opener, path)
            })
            .console(sink.clone())
            .on_report(count_reports(&reports));
        if tapped {
            builder = builder.attach(|_: &Observation<'_>| ());
        }
        if scenario.disk {
            builder = builder.files(folder.join("root"));
        }
        if scenario.record {
            builder = builder
                .record(folder.join("run.trace"))
                .compress_recording(scenario.ticks.is_multiple_of(2));
        }
        for space in &spaces {
            for (memory, model) in space.models() {
                builder = builder.memory_model(memory, model);
            }
        }
        builder = methods::register(builder, &log);
        let vhost = builder.start().map_err(|error| fail(error.to_string()))?;
        let mut shared = Shared::default();
        if scenario.disk {
            shared.files.root = true;
            shared
                .files
                .tree
                .fill(VARIABLE.1, environment::initial_files());
        }
        let mut units = Vec::new();
        for (number, channel) in scenario.channels.iter().enumerate() {
            let mut space = spaces.remove(0);
            space.attach(&vhost);
            let layout = Layout::new(channel.pointer, channel.line);
            let at = channel.base + channel.mailbox;
            let session = Session::new(number, layout, at, &space);
            for queue in [layout.request, layout.response] {
                space.set_expected(
                    at + queue.start,
                    &vec![0; (queue.end - queue.start) as usize],
                );
            }
            if let Some((address, actual, expected)) = space.difference() {
                return Err(Failed {
                    channel: Some(number),
                    ..fail(format!(
                        "byte {address:#x} is {actual:#x} at the start, expected {expected:#x}"
                    ))
                });
            }
            shared.coverage.describe(channel);
            let streams = Streams {
                input: channel
                    .input
                    .iter()
                    .flat_map(|input| input.bytes())
                    .collect(),
                ..Streams::default()
            };
            shared.files.streams.insert(number, streams);
            if let Some(input) = &channel.input {
                let pushed = vhost.write_stdin(&channel_name(number), input.as_bytes());
                let pushed = pushed.and_then(|_| vhost.close_stdin(&channel_name(number)));
                pushed.map_err(|error| fail(error.to_string()))?;
            }
            units.push(Unit {
                space,
                session,
                firmware: Firmware::new(number, channel),
            });
        }
        match units.len() {
            1 => shared.coverage.hit("channels 1"),
            9.. => shared.coverage.hit("channels more than 8"),
            _ => {}
        }
        log.take();
        let clients = (!scenario.clients.is_empty()).then(|| Clients::open(&vhost));
        let clients = clients.transpose().map_err(fail)?;
        Ok(Self {
            scenario,
            folder,
            vhost,
            log,
            sink,
            reports,
            units,
            shared,
            clients,
            hash: DefaultHasher::new(),
            phase: "safety",
            ticks: 0,
            turns: 0,
            fatal: false,
        })
    }
}

/// Counts reports by channel.
fn count_reports(reports: &Arc<Mutex<Reports>>) -> impl FnMut(&Report) + Send + 'static {
    let reports = reports.clone();
    move |report| {
        let mut reports = lock(&reports);
        match (report.severity, channel_number(&report.id)) {
            (Severity::Fatal, _) => reports.fatal += 1,
            // A failed check for a missing file has severity info.
            (severity, Some(channel))
                if severity == Severity::Error || report.text.contains("; answered ") =>
            {
                if let Some(errors) = reports.errors.get_mut(channel) {
                    *errors += 1;
                }
            }
            (Severity::Error, None)
                if !matches!(report.id.as_str(), "host program" | "memory" | "sockets") =>
            {
                reports
                    .others
                    .push(format!("{}: {}", report.id, report.text));
            }
            _ => {}
        }
    }
}
