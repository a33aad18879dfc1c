//! Formatted text.

use super::*;

#[test]
fn cprint_formats_with_strings_from_memory() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, "%s has %-4d|%.3s|%n\n");
    fixture.chip.ram.put_string(DATA + 0x100, "main.c");
    fixture.chip.ram.put_string(DATA + 0x200, "core");
    let minus = u64::from((-2_i32) as u32);
    let args = [DATA + 0x200, minus, DATA + 0x200, 0];
    let request = Request::CPrint {
        format: DATA,
        file: DATA + 0x100,
        line: 42,
        args: args.into(),
    };
    assert_eq!(serve(&fixture, &mut firmware, &request), None);
    assert_eq!(fixture.seen.text.take(), "core has -2  |cor|%n\n");
    let reports = fixture.reports();
    assert!(
        reports[0].2.starts_with("CPRINT at main.c:42: `%n`"),
        "{}",
        reports[0].2
    );
}
