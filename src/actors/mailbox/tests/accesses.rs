//! Number of accesses to memory.

use super::*;

#[test]
fn an_idle_tick_reads_the_doorbell_and_nothing_else() {
    let layout = plain(PtrWidth::P8);
    let bench = Fixture::new(&[(BASE, layout)]);
    let _firmware = ready(&bench, BASE, layout);
    bench.tick();
    let (reads, writes) = (bench.chip.reads.get(), bench.chip.writes.get());
    bench.tick();
    bench.tick();
    assert_eq!(bench.chip.reads.get() - reads, 2);
    assert_eq!(bench.chip.writes.get(), writes);
}

#[test]
fn a_print_takes_three_reads_and_three_writes() {
    let layout = plain(PtrWidth::P8);
    let bench = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&bench, BASE, layout);
    let request = print("sixteen bytes...", &bench);
    assert!(firmware.try_send(&request));
    let (reads, writes) = (bench.chip.reads.get(), bench.chip.writes.get());
    bench.tick();
    assert_eq!(bench.chip.reads.get() - reads, 3, "doorbell, entry, text");
    assert_eq!(bench.chip.writes.get() - writes, 3, "idx_c, entry, idx_p");
}
