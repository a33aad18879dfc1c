//! Frames of defmt, compared with the decoder of its authors.

use std::fs;
use std::path::Path;

use defmt_decoder::{Locations, Table};
use vhost::Vhost;

use super::rust::{RV32, build};
use super::{Image, RAM};

const PROGRAMS: [&[&str]; 2] = [&[], &["raw"]];

/// Format strings of an image.
struct Tables {
    table: Table,
    locations: Locations,
}

impl Tables {
    fn of(elf: &Path) -> Self {
        let bytes = fs::read(elf).unwrap();
        let table = Table::parse(&bytes).unwrap().unwrap();
        let locations = table.get_locations(&bytes).unwrap();
        Self { table, locations }
    }

    /// Decodes the frames in the bytes of a buffer to texts of reports.
    fn decode(&self, bytes: &[u8]) -> Vec<String> {
        let mut stream = self.table.new_stream_decoder();
        stream.received(bytes);
        let mut frames = Vec::new();
        while let Ok(frame) = stream.decode() {
            let level = frame.level().unwrap().as_str().to_uppercase();
            let time = frame.display_timestamp().unwrap().to_string();
            let message = frame.display_message().to_string();
            let location = &self.locations[&frame.index()];
            let (file, line) = (location.file.display(), location.line);
            frames.push(format!("{level} {time}: {message}; {file}:{line}"));
        }
        frames
    }
}

fn image_of(elf: &Path) -> Image {
    let image = Image(tempfile::tempdir().unwrap());
    fs::copy(elf, image.path("firmware.elf")).unwrap();
    image
}

/// Returns the bytes of a run's buffer.
fn bytes_of(image: &Image) -> Vec<u8> {
    let files = image.path("files");
    fs::create_dir(&files).unwrap();
    let mailboxes = image.put(
        "mailbox.yaml",
        "cpu: {space: cpu, elf: \"${IMAGE}\"}\n\
         rtt: {space: cpu, elf: \"${IMAGE}\", load: false, abi: rtt, rtt: {up: {defmt: {file: frames}}}}\n",
    );
    image
        .run([
            "--mailbox".as_ref(),
            mailboxes.as_os_str(),
            "--files".as_ref(),
            files.as_os_str(),
        ])
        .stdout(0);
    fs::read(files.join("frames")).unwrap()
}

#[test]
fn reports_are_those_of_the_decoder() {
    for features in PROGRAMS {
        let Some(elf) = build("rtt", RV32, "frames", features) else {
            return;
        };
        let image = image_of(&elf);
        let expected = Tables::of(&elf).decode(&bytes_of(&image));
        assert_eq!(expected.len(), 204);
        let trace = image.path("run.trace");
        let ended = image.run(["--record".as_ref(), trace.as_os_str()]);
        assert_eq!(ended.status, Some(0), "{ended:?}");
        let reports = ended.stderr.lines().filter_map(|line| {
            let (_, report) = line.split_once(": rtt: ")?;
            Some(report.to_owned())
        });
        let reports: Vec<String> = reports.filter(|text| !text.starts_with("RTT")).collect();
        assert_eq!(reports, expected);
        let severities = [
            ": info: rtt: DEBUG",
            ": warning: rtt: WARN",
            ": error: rtt: ERROR",
        ];
        for severity in severities {
            assert!(ended.stderr.contains(severity), "{}", ended.stderr);
        }
        let trace = trace.to_str().unwrap();
        super::replays_in_order(trace);
        crate::vhost(["replay", trace, "--only", "rtt"]).stdout(0);
        let shown = crate::vhost(["trace", "show", trace, "--kind", "FrameDecoded"]).stdout(0);
        assert!(shown.contains("frames.rs"), "{shown}");
    }
}

#[test]
fn another_version_and_an_image_without_strings_are_named() {
    let Some(elf) = build("rtt", RV32, "frames", &[]) else {
        return;
    };
    let image = image_of(&elf);
    let mut bytes = fs::read(&elf).unwrap();
    let name = b"_defmt_version_ = 4";
    let places: Vec<usize> = (0..bytes.len() - name.len())
        .filter(|at| bytes[*at..].starts_with(name))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + name.len() - 1] = b'9';
    }
    fs::write(image.path("firmware.elf"), &bytes).unwrap();
    let error = image.run([""; 0]).stderr(0);
    let line = error.lines().find(|line| line.contains("can't be decoded"));
    assert!(line.unwrap().contains('9'), "{error}");
    assert_eq!(error.matches("can't be decoded").count(), 1, "{error}");
}

/// Up buffer named `defmt` at the end of the RAM, which a test writes.
struct Buffer {
    vhost: Vhost,
    reports: std::sync::mpsc::Receiver<String>,
    write: u32,
}

const BLOCK: u64 = RAM + 0x80_0000;
const DATA: u64 = BLOCK + 0x1000;
const SIZE: u32 = 0x1_0000;

impl Buffer {
    fn of(elf: &Path) -> Self {
        let (sender, reports) = std::sync::mpsc::channel();
        let vhost = Vhost::builder()
            .variable("IMAGE", elf.to_str().unwrap())
            .memories_text(format!(
                "space: {{cpu: [ram: {{base: {RAM:#x}, size: 0x1000000, path: r, width: 64, backend: static}}]}}"
            ))
            .mailboxes_text(format!(
                "cpu: {{space: cpu, elf: \"${{IMAGE}}\", load: false, abi: rtt, rtt: {{address: {BLOCK:#x}}}}}"
            ))
            .on_report(move |report| {
                let _ = sender.send(report.text.clone());
            })
            .start()
            .unwrap();
        let words = |words: &[u64]| -> Vec<u8> {
            words
                .iter()
                .flat_map(|it| (*it as u32).to_le_bytes())
                .collect()
        };
        let put = |address, bytes: &[u8]| vhost.write_from("cpu", address, bytes).unwrap();
        put(BLOCK + 0x800, b"defmt\0");
        let descriptor = [BLOCK + 0x800, DATA, u64::from(SIZE), 0, 0, 2];
        put(BLOCK + 24, &words(&descriptor));
        put(BLOCK + 16, &words(&[1, 0]));
        put(BLOCK, b"SEGGER RTT\0\0\0\0\0\0");
        Self {
            vhost,
            reports,
            write: 0,
        }
    }

    /// Restores the checkpoint of another buffer, which was written up to `write`.
    fn restore(&mut self, checkpoint: &Path, write: u32) {
        self.vhost.restore(checkpoint).unwrap();
        self.write = write;
    }

    /// Writes bytes like firmware, and runs a tick.
    fn write(&mut self, bytes: &[u8]) {
        let put = |at, bytes: &[u8]| self.vhost.write_from("cpu", at, bytes).unwrap();
        let (first, wrapped) = bytes.split_at(bytes.len().min((SIZE - self.write) as usize));
        put(DATA + u64::from(self.write), first);
        if !wrapped.is_empty() {
            put(DATA, wrapped);
        }
        self.write = (self.write + bytes.len() as u32) % SIZE;
        put(BLOCK + 36, &self.write.to_le_bytes());
        self.vhost.tick().unwrap();
    }

    fn texts(&self) -> Vec<String> {
        // The image has HTIF, too.
        let texts = self.reports.try_iter();
        texts
            .filter(|text| !text.starts_with("<mailbox configuration>"))
            .collect()
    }
}

/// Number of frames, set by `VHOST_DEFMT_FRAMES`.
fn frames() -> usize {
    let given = std::env::var("VHOST_DEFMT_FRAMES").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

#[test]
fn many_frames_are_decoded_and_damaged_ones_skipped() {
    let Some(elf) = build("rtt", RV32, "frames", &[]) else {
        return;
    };
    let bytes = bytes_of(&image_of(&elf));
    let expected = Tables::of(&elf).decode(&bytes);
    let mut buffer = Buffer::of(&elf);
    buffer.vhost.tick().unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    // In pieces of any size.
    for _ in 0..frames().div_ceil(expected.len()) {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, later) = rest.split_at(random.usize(1..=rest.len().min(700)));
            buffer.write(piece);
            rest = later;
        }
        assert_eq!(buffer.texts(), expected);
    }
    // Damaged bytes between valid ones, each terminated by a separator.
    let mut damaged = 0;
    for _ in 0..3000 {
        let count = random.usize(1..60);
        let garbage: Vec<u8> = (0..count).map(|_| random.u8(1..)).collect();
        buffer.write(&garbage);
        buffer.write(&[0]);
        damaged += buffer.texts().len();
    }
    // Most are not frames, and the number of their reports is limited.
    assert!(damaged < 3000, "{damaged}");
    buffer.write(&bytes);
    let texts = buffer.texts();
    assert_eq!(texts, expected);
}

#[test]
fn a_frame_that_a_checkpoint_cuts_is_no_error() {
    let Some(elf) = build("rtt", RV32, "frames", &[]) else {
        return;
    };
    let image = image_of(&elf);
    let bytes = bytes_of(&image);
    let expected = Tables::of(&elf).decode(&bytes);
    let checkpoint = image.path("x.ckpt");
    let mut buffer = Buffer::of(&elf);
    // Inside a long frame.
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == 0).collect();
    let mut frames = ends.array_windows();
    let [before, end] = frames.find(|[before, end]| end - before > 8).unwrap();
    let (start, rest) = bytes.split_at(before + (end - before) / 2);
    buffer.write(start);
    let texts = buffer.texts();
    let done = texts.len();
    assert_eq!(texts, expected[..done]);
    let Buffer { vhost, write, .. } = buffer;
    vhost.save(&checkpoint).unwrap();
    vhost.shutdown();
    let mut restored = Buffer::of(&elf);
    restored.restore(&checkpoint, write);
    restored.vhost.tick().unwrap();
    restored.texts();
    restored.write(rest);
    let texts = restored.texts();
    let lost = "RTT: up channel 0 `defmt`: defmt: the first frame behind the restore was begun before the checkpoint, and is lost";
    assert_eq!(texts[0], lost);
    assert_eq!(texts[1..], expected[done + 1..]);
    // Later bytes are reported as errors again.
    restored.write(&[1, 2, 3, 0]);
    let texts = restored.texts();
    assert!(texts[0].contains("may be another"), "{texts:?}");
}
