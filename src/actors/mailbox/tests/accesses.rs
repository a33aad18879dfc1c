//! Number of accesses to memory.

use super::*;

#[test]
fn an_idle_tick_reads_the_doorbell_and_nothing_else() {
    let layout = plain(PtrWidth::P8);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let _firmware = ready(&fixture, BASE, layout);
    fixture.tick();
    let (reads, writes) = (fixture.chip.reads.get(), fixture.chip.writes.get());
    fixture.tick();
    fixture.tick();
    assert_eq!(fixture.chip.reads.get() - reads, 2);
    assert_eq!(fixture.chip.writes.get(), writes);
}

#[test]
fn a_print_takes_three_reads_and_three_writes() {
    let layout = plain(PtrWidth::P8);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    let request = print("sixteen bytes...", &fixture);
    assert!(firmware.try_send(&request));
    let (reads, writes) = (fixture.chip.reads.get(), fixture.chip.writes.get());
    fixture.tick();
    assert_eq!(fixture.chip.reads.get() - reads, 3, "doorbell, entry, text");
    assert_eq!(fixture.chip.writes.get() - writes, 3, "idx_c, entry, idx_p");
}
