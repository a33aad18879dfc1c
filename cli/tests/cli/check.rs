use std::path::Path;

use mailbox_rs::{CacheLine, Layout, PtrWidth};
use object::{Object, ObjectSegment};
use tempfile::TempDir;

use crate::{Ended, command, end, vhost};
use test_support::elf::{Elf, Segment};

/// Firmware of this project, built for a RAM of 64 KiB at 0.
pub(crate) const SELFTEST: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware/selftest-rv32.elf");

/// Addresses of [`SELFTEST`] in reports: its code, and the segment that begins with the mailbox.
struct Addresses {
    /// Last byte of the code, which begins at 0.
    code_end: u64,
    mailbox: u64,
    /// Last byte of the mailbox's segment in the file.
    mailbox_end: u64,
    /// Last zero after it.
    zeros_end: u64,
}

impl Addresses {
    fn of_selftest() -> Self {
        let bytes = std::fs::read(SELFTEST).unwrap();
        let image = object::File::parse(&*bytes).unwrap();
        let segments: Vec<_> = image.segments().collect();
        let [code, data] = &segments[..] else {
            panic!("{} segments", segments.len());
        };
        assert_eq!(code.address(), 0);
        Self {
            code_end: code.file_range().1 - 1,
            mailbox: data.address(),
            mailbox_end: data.address() + data.file_range().1 - 1,
            zeros_end: data.address() + data.size() - 1,
        }
    }
}

/// Folder with configurations and the image `firmware.elf`.
struct Files(TempDir);

impl Files {
    fn new(memories: &str, mailboxes: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Self(folder);
        files.put("mem.yaml", memories);
        files.put("mailbox.yaml", mailboxes);
        std::fs::copy(SELFTEST, files.path().join("firmware.elf")).unwrap();
        files
    }

    /// Creates a configuration with one memory with these keys, and one channel with the image.
    fn of_ram(ram: &str, channel: &str) -> Self {
        Self::new(
            &format!("space: {{core: [ram: {{base: 0, {ram}}}]}}"),
            &format!("core: {{space: core, elf: firmware.elf, cache_line: 0{channel}}}"),
        )
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    fn check_with(&self, options: &str) -> Ended {
        let mut check = command();
        check.current_dir(self.path());
        check.args(["check", "--mem", "mem.yaml", "--mailbox", "mailbox.yaml"]);
        end(check.args(options.split_whitespace()))
    }

    fn check(&self) -> Ended {
        self.check_with("")
    }
}

#[test]
fn the_map_is_drawn_with_channels_and_images() {
    let files = Files::new(
        "
shared:
  ddr: {base: 0x80000000, size: 0x10000000, backend: api}
space:
  core0:
    - ddr
    - ram: {base: 0, size: 0x10000, path: tb.ram.mem, width: 32, backend: static, init: {method: all_zero}}
    - sram:
        base: 0x10000
        size: 0x10000
        path: tb.sram
        width: 128
        bank_width: 64
        bank_depth: 2048
        banks: [[r0.c0, r0.c1], [r1.c0, r1.c1]]
        backend: vpi
  core1: [ddr]
",
        "
core0: {space: core0, elf: firmware.elf, cache_line: 0}
core1: {space: core1, base: 0x80001000, ptr: 64, cache_line: 64}
",
    );
    let Addresses {
        code_end,
        mailbox,
        mailbox_end,
        zeros_end,
    } = Addresses::of_selftest();
    let zeros = mailbox_end + 1;
    let expected = format!(
        "\
space core0
  0x00000000 ┌ ram, 64 KiB, static
             │ tb.ram.mem: 16384 words of 32 bits
             │ at first: zeros
             │ 0x00000000..={code_end:#010x} bytes of firmware.elf
             │ {mailbox:#010x}..={mailbox_end:#010x} bytes of firmware.elf
             │ {mailbox:#010x}..={mailbox_end:#010x} mailbox of `core0`: pointers of 32 bits, no cache line
             │ {zeros:#010x}..={zeros_end:#010x} zeros of firmware.elf
  0x0000ffff └
  0x00010000 ┌ sram, 64 KiB, vpi
             │ banks in 2 × 2, each of 2048 words of 64 bits
             │   tb.sram.r0.c0  tb.sram.r0.c1
             │   tb.sram.r1.c0  tb.sram.r1.c1
             │ at first: left as it is
  0x0001ffff └
             ⋮ 1.9 GiB
             ⋮
             ⋮
  0x80000000 ┌ ddr, 256 MiB, api
             │ a black box
             │ at first: left as it is
             │
             │
             │
  0x8fffffff └

space core1
  0x80000000 ┌ ddr, 256 MiB, api
             │ a black box
             │ at first: left as it is
             │ 0x80001000..=0x800016ff mailbox of `core1`: pointers of 64 bits, cache line of 64 bytes
             │
             │
  0x8fffffff └

note: firmware.elf: compiled for protocol 0.3, pointers of 32 bits, no cache line, 1 channel
good: 2 spaces, 3 memories, 2 channels served, 1 image loaded; 0 errors, 0 warnings
"
    );
    assert_eq!(files.check().stdout(0), expected);
}

const STATIC: &str = "size: 0x10000, path: tb.ram, width: 32, backend: static";

#[test]
fn the_environment_names_files_and_the_command_line_comes_first() {
    let files = Files::of_ram(STATIC, ", server: \"${SERVES:-true}\"");
    let check = |configure: &dyn Fn(&mut std::process::Command)| {
        let mut check = command();
        check.current_dir(files.path()).arg("check");
        configure(&mut check);
        end(&mut check)
    };
    let from_environment = check(&|it| {
        it.envs([
            ("MEM_CFG_FILE", "mem.yaml"),
            ("MAILBOX_CFG_FILE", "mailbox.yaml"),
        ]);
    });
    assert!(from_environment.stdout(0).contains("1 channel served"));
    let defined = check(&|it| {
        it.envs([("MEM_CFG_FILE", "mem.yaml"), ("SERVES", "true")]);
        it.args(["--mailbox", "mailbox.yaml", "-D", "SERVES=false"]);
    });
    let output = defined.stdout(0);
    assert!(output.contains("0 channels served"), "{output}");
    assert!(output.contains("warning: no channel is served"), "{output}");
    let memories_only = check(&|it| {
        it.args(["--mem", "mem.yaml"]);
    });
    assert!(memories_only.stdout(0).contains("0 warnings"));
}

#[test]
fn a_refused_file_has_status_1_and_a_missing_one_status_2() {
    let files = Files::of_ram("size: 0x10000, path: tb.ram, width: 31", "");
    let output = files.check().stderr(1);
    assert!(
        output.contains("mem.yaml") && output.contains("`width` of 31 bits"),
        "{output}"
    );

    let files = Files::of_ram(STATIC, ", ptr: 16");
    let ended = files.check();
    assert!(ended.stdout.contains("┌ ram, 64 KiB"), "{ended:?}");
    let output = ended.stderr(1);
    assert!(
        output.contains("mailbox.yaml:1: channel `core`: `ptr` is 16"),
        "{output}"
    );

    let files = Files::of_ram(STATIC, "");
    std::fs::remove_file(files.path().join("firmware.elf")).unwrap();
    assert!(files.check().stderr(1).contains("firmware.elf"));
    std::fs::remove_file(files.path().join("mailbox.yaml")).unwrap();
    assert!(files.check().stderr(2).contains("mailbox.yaml"));
    assert!(
        vhost(["check", "--mem", "no.yaml"])
            .stderr(2)
            .contains("no.yaml")
    );
}

#[test]
fn an_image_that_does_not_fit_is_reported_by_its_addresses() {
    let small = "size: 0x3000, path: tb.ram, width: 32, backend: static";
    let output = Files::of_ram(small, ", server: false").check().stdout(1);
    let Addresses {
        code_end,
        mailbox_end,
        zeros_end,
        ..
    } = Addresses::of_selftest();
    let expected = format!(
        "error: firmware.elf can't be loaded into space `core`: segment 0 (0x0 to {code_end:#x}) has no \
         memory at 0x3000, nearest is memory `ram` (0x0 to 0x2fff); "
    );
    assert!(output.contains(&expected), "{output}");
    // Zeros outside of memory are ignored.
    let (zeros, count) = (mailbox_end + 1, zeros_end - mailbox_end);
    let small = format!("size: {zeros:#x}, path: tb.ram, width: 32, backend: static");
    let output = Files::of_ram(&small, "").check().stdout(0);
    let expected = format!(
        "note: firmware.elf: {count} of the {count} zeros at {zeros:#x} are outside of the map and are \
         left out"
    );
    assert!(output.contains(&expected), "{output}");
}

#[test]
fn an_unreachable_mailbox_has_a_warning() {
    let files = Files::of_ram("size: 0x10000, path: tb.ram, width: 32", "");
    let output = files.check_with("--default-backend log").stdout(0);
    assert!(
        output.contains("warning: channel `core`: its mailbox is in memory `ram`"),
        "{output}"
    );
    assert!(
        output.contains("firmware.elf is loaded into memory `ram` of backend `log`"),
        "{output}"
    );
    // Simulations by vhost.vpi have another default than the command.
    assert_eq!(output.matches("by --default-backend (`vpi`").count(), 2);
    let output = files.check_with("--default-backend vpi").stdout(0);
    assert!(output.contains("0 warnings"), "{output}");
    assert!(
        files
            .check_with("--default-backend none")
            .stderr(2)
            .contains("log, uvm, api, static")
    );
}

#[test]
fn defaults_are_those_of_the_options() {
    let files = Files::new(
        "space: {core: [ram: {base: 0, size: 0x10000, backend: api}]}",
        "core: {space: core, base: 0}",
    );
    let output = files
        .check_with("--default-ptr 64 --default-cache-line 128")
        .stdout(0);
    assert!(
        output.contains("pointers of 64 bits, cache line of 128 bytes"),
        "{output}"
    );
}

#[test]
fn first_content_is_looked_at() {
    let ram =
        "size: 0x100, path: tb.ram, width: 32, backend: static, init: {method: hex, file: ram.hex}";
    let files = Files::new(&format!("space: {{core: [ram: {{base: 0, {ram}}}]}}"), "");
    files.put("ram.hex", "@3f 00000001 00000002\n");
    let output = files.check().stdout(1);
    assert!(
        output.contains("error: memory `ram`, init:") && output.contains("ram.hex"),
        "{output}"
    );
    files.put("ram.hex", "@3f 0000000x\n");
    let output = files.check().stdout(0);
    assert!(
        output.contains("warning: memory `ram`: ram.hex: 1 digits are x or z"),
        "{output}"
    );

    let ram = "size: 0x100, path: tb.ram, width: 32, backend: static, init: {method: random}";
    let files = Files::new(&format!("space: {{core: [ram: {{base: 0, {ram}}}]}}"), "");
    assert!(files.check().stdout(0).contains("give `seed`"));
}

#[test]
fn images_in_one_place_are_warned_of_once() {
    let files = Files::new(
        "
shared: {ram: {base: 0, size: 0x10000, path: tb.ram, width: 32, backend: static}}
space: {core0: [ram], core1: [ram]}
",
        "
core0: {space: core0, elf: firmware.elf, cache_line: 0}
core1: {space: core1, elf: other.elf, server: false}
",
    );
    std::fs::copy(SELFTEST, files.path().join("other.elf")).unwrap();
    let output = files.check().stdout(0);
    assert!(
        output.contains("warning: other.elf is loaded over bytes of firmware.elf, in memory `ram`"),
        "{output}"
    );
    assert!(
        output.contains("2 images loaded; 0 errors, 1 warning\n"),
        "{output}"
    );
    // Two spaces with one image in one shared memory load the same bytes.
    files.put(
        "mailbox.yaml",
        "
core0: {space: core0, elf: firmware.elf, cache_line: 0}
core1: {space: core1, elf: firmware.elf, server: false}
",
    );
    assert!(files.check().stdout(0).contains("0 warnings"));
}

#[test]
fn a_pointer_width_other_than_the_images_is_warned_of() {
    let files = Files::of_ram(STATIC, ", ptr: 32");
    let image = std::fs::read(SELFTEST.replace("rv32", "rv64")).unwrap();
    std::fs::write(files.path().join("firmware.elf"), without_note(image)).unwrap();
    let output = files.check().stdout(0);
    let expected = "warning: channel `core`: `ptr` is 32, but firmware.elf is an image of 64 bits";
    assert!(output.contains(expected), "{output}");
}

/// Renames the section `.note.vhost` of an image.
fn without_note(mut image: Vec<u8>) -> Vec<u8> {
    let name = b".note.vhost\0";
    let found = image.windows(name.len()).position(|part| part == name);
    let at = found.unwrap();
    image[at..at + 5].copy_from_slice(b".nope");
    image
}

#[test]
fn a_configuration_that_differs_from_the_note_of_the_image_is_refused() {
    for (channel, expected) in [
        (
            ", ptr: 64",
            "`ptr` is 64, but firmware.elf has pointers of 32 bits",
        ),
        (", mb_id: 1", "`mb_id` is 1, but firmware.elf has 1 channel"),
    ] {
        let output = Files::of_ram(STATIC, channel).check().stderr(1);
        assert!(output.contains(expected), "{output}");
    }
    let files = Files::of_ram(STATIC, "");
    files.put(
        "mailbox.yaml",
        "core: {space: core, elf: firmware.elf, cache_line: 64}",
    );
    let output = files.check().stderr(1);
    let expected = "`cache_line` is 64, but firmware.elf was compiled for 0 (MB_CACHE_LINE)";
    assert!(output.contains(expected), "{output}");
}

/// Resizes the section `.mailbox` of an image to this number of channels, in its section header.
fn with_channels(image: &mut [u8], count: u32) {
    let word = |image: &[u8], at: usize| {
        let bytes = image[at..at + 4].try_into().unwrap();
        usize::try_from(u32::from_le_bytes(bytes)).unwrap()
    };
    let half = |image: &[u8], at| word(image, at) & 0xffff;
    let (table, size, number) = (word(image, 0x20), half(image, 0x2e), half(image, 0x30));
    let layout = Layout::new(PtrWidth::P4, CacheLine::None);
    let channel = usize::try_from(layout.channel_size).unwrap();
    let mut headers = (0..number).map(|at| table + at * size);
    // The section with the size of one channel.
    let header = headers.find(|at| word(image, at + 0x14) == channel);
    let at = header.unwrap() + 0x14;
    image[at..at + 4].copy_from_slice(&(count * channel as u32).to_le_bytes());
}

#[test]
fn unserved_channels_of_an_image_are_reported() {
    let files = Files::of_ram(STATIC, "");
    let mut image = without_note(std::fs::read(SELFTEST).unwrap());
    with_channels(&mut image, 3);
    std::fs::write(files.path().join("firmware.elf"), &image).unwrap();
    let output = files.check().stdout(0);
    assert!(
        output.contains(
            "note: firmware.elf: its section .mailbox has room for 3 channels, of which 1 is served"
        ),
        "{output}"
    );
    files.put(
        "mailbox.yaml",
        "
core: {space: core, elf: firmware.elf, cache_line: 0}
two: {space: core, elf: firmware.elf, cache_line: 0, mb_id: 1}
three: {space: core, elf: firmware.elf, cache_line: 0, mb_id: 2}
idle: {space: core, elf: firmware.elf, load: false, server: false}
",
    );
    let output = files.check().stdout(0);
    assert!(!output.contains("has room for"), "{output}");
    assert!(
        output.contains("3 channels served, 1 image loaded"),
        "{output}"
    );
    assert!(
        output.contains("warning: channel `idle` is neither loaded nor served"),
        "{output}"
    );
}

#[test]
fn a_memory_in_front_of_another_is_drawn_and_warned_of() {
    let files = Files::new(
        "
space:
  core:
    - uart: {base: 0x40, size: 16, backend: api, desc: console}
    - ram: {base: 0, size: 256, backend: api}
",
        "{}",
    );
    let expected = "\
space core
  0x00000000 ┌ ram, 256 bytes, api
             │ a black box
             │ at first: left as it is
  0x0000003f └
  0x00000040 ┌ uart, 16 bytes, api
             │ a black box
             │ at first: left as it is
  0x0000004f └
  0x00000050 ┌ ram, continued, api
             │
  0x000000ff └

warning: mem.yaml: memory `uart` of space `core`: the key `desc` is unknown, and ignored
warning: mem.yaml: space `core`: memory `uart` (0x40 to 0x4f) is in front of memory `ram`, which contains it and is listed later: accesses there do not reach `ram`
warning: no channel is served
good: 1 space, 2 memories, 0 channels served, 0 images loaded; 0 errors, 3 warnings
";
    assert_eq!(files.check().stdout(0), expected);
}

#[test]
fn memories_that_no_access_reaches_are_drawn_where_they_are_hidden() {
    let files = Files::new(
        "
space:
  core:
    - low: {base: 0, size: 128, backend: api}
    - high: {base: 128, size: 128, backend: api}
    - all: {base: 0, size: 256, backend: api}
    - uart: {base: 0x40, size: 16, backend: api}
",
        "{}",
    );
    let expected = "\
space core
  0x00000000 ┌ low, 128 bytes, api
             │ a black box
             │ at first: left as it is
             │ hidden: all, 0x00000000..=0x000000ff, 256 bytes
             │ hidden: uart, 0x00000040..=0x0000004f, 16 bytes
  0x0000007f └
  0x00000080 ┌ high, 128 bytes, api
             │ a black box
             │ at first: left as it is
  0x000000ff └

";
    let output = files.check().stdout(0);
    assert!(output.starts_with(expected), "{output}");
    for pair in [
        "memory `low` (0x0 to 0x7f) is in front of memory `all`, ",
        "memory `high` (0x80 to 0xff) is in front of memory `all`, ",
        "memory `uart` (0x40 to 0x4f) is hidden by memory `low`, ",
        "memory `uart` (0x40 to 0x4f) is hidden by memory `all`, ",
        "memory `all` (0x0 to 0xff) is hidden by the memories in front of it, ",
    ] {
        assert_eq!(output.matches(pair).count(), 1, "{pair}: {output}");
    }
}

#[test]
fn an_image_of_several_names_is_one_image() {
    let memories = format!("space: {{core: [ram: {{base: 0, {STATIC}}}]}}");
    let mailboxes = "one: {space: core, elf: firmware.elf, server: no}\ntwo: {space: core, elf: ./firmware.elf, server: no, zero_bss: no}\n\
        three: {space: core, elf: link.elf, server: no}";
    let files = Files::new(&memories, mailboxes);
    std::os::unix::fs::symlink("firmware.elf", files.path().join("link.elf")).unwrap();
    let output = files.check().stdout(0);
    assert!(
        output.contains("1 image loaded; 0 errors, 1 warning"),
        "{output}"
    );
    assert!(
        !output.contains("zeros of") && !output.contains("is loaded over"),
        "{output}"
    );
}

#[test]
fn zeros_that_are_not_written_are_not_drawn() {
    let files = Files::of_ram(STATIC, ", zero_bss: no");
    assert!(!files.check().stdout(0).contains("zeros of"));
    let files = Files::of_ram(STATIC, "");
    assert!(files.check().stdout(0).contains("zeros of"));
}

#[test]
fn zeros_are_not_drawn_if_one_of_an_images_channels_disables_them() {
    let memories = format!("space: {{core: [ram: {{base: 0, {STATIC}}}]}}");
    for (first, second, drawn) in [
        ("yes", "yes", true),
        ("yes", "no", false),
        ("no", "yes", false),
    ] {
        let channel = "{space: core, elf: firmware.elf, server: no, zero_bss:";
        let mailboxes = format!("one: {channel} {first}}}\nother: {channel} {second}}}");
        let text = Files::new(&memories, &mailboxes).check().stdout(0);
        assert_eq!(text.contains("zeros of"), drawn, "{first}, {second}");
    }
}

#[test]
fn the_environments_file_names_are_expanded() {
    let files = Files::of_ram(STATIC, "");
    let mut check = command();
    check.current_dir(files.path()).arg("check");
    check.envs([
        ("HERE", "."),
        ("MEM_CFG_FILE", "${HERE}/mem.yaml"),
        ("MAILBOX_CFG_FILE", "$HERE/mailbox.yaml"),
    ]);
    end(&mut check).stdout(0);
}

#[test]
fn words_of_htif_are_in_the_table() {
    let files = Files::new(
        "space: {core: [ram: {base: 0x1000, size: 0x1000, path: ram, width: 32, backend: static}]}",
        "cpu: {space: core, abi: htif, tohost: 0x1100, fromhost: 0x1140}",
    );
    let output = files.check().stdout(0);
    for name in ["tohost", "fromhost"] {
        assert!(output.contains(&format!("{name} of `cpu`")), "{output}");
    }
}

#[test]
fn junit_results_have_the_errors() {
    let good = Files::of_ram("size: 0x10000, backend: log", "");
    good.check_with("--junit results.xml").stdout(0);
    let results = std::fs::read_to_string(good.path().join("results.xml")).unwrap();
    assert!(results.contains("tests=\"1\"") && results.contains("failures=\"0\""));
    // A warning is output.
    assert!(results.contains("<system-out>") && results.contains("keeps nothing"));
    let bad = Files::of_ram("size: 0x100", "");
    let ended = bad.check_with("--junit results.xml");
    assert_eq!(ended.status, Some(1), "{ended:?}");
    let results = std::fs::read_to_string(bad.path().join("results.xml")).unwrap();
    assert!(results.contains("failures=\"1\"") && results.contains("firmware.elf"));
}

/// The check warns of traps that can't be replaced, as a run does, and draws the place of the code
/// in the map.
#[test]
fn code_in_place_of_traps_is_drawn_and_has_to_be_near() {
    const TRAP: [u32; 3] = [0x01f0_1013, 0x0010_0073, 0x4070_5013];
    let bytes: Vec<u8> = TRAP.iter().flat_map(|word| word.to_le_bytes()).collect();
    let image = Elf::of(vec![Segment::at(0x8000_0000, &bytes, 12)]).build();
    let mailbox = |stub: u64| {
        format!("cpu: {{space: cpu, elf: firmware.elf, abi: semihosting, stub: {stub:#x}}}")
    };
    for (stub, is_near) in [(0x8001_0000_u64, true), (0x8050_0000, false)] {
        let files = Files::new(
            "space: {cpu: [ram: {base: 0x80000000, size: 0x1000000, path: r, width: 64, backend: static}]}",
            &mailbox(stub),
        );
        std::fs::write(files.path().join("firmware.elf"), &image).unwrap();
        let printed = files.check().stdout(0);
        let last = stub + 4480 - 1;
        let drawn = format!("{stub:#x}..={last:#x} code in place of traps of `cpu`");
        assert!(printed.contains(&drawn), "{printed}");
        let far = "channel `cpu`: the traps of semihosting at 0x80000000 of firmware.elf stay as they are";
        assert_eq!(printed.contains(far), !is_near, "{printed}");
        let warnings = if is_near { "0 warnings" } else { "1 warning" };
        assert!(printed.contains(warnings), "{printed}");
    }
}
