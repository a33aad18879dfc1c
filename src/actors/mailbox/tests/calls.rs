//! Calls of methods.

use super::*;

#[test]
fn calls_carry_their_name_and_arguments() {
    let layout = plain(PtrWidth::P8);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, "add");
    let args: Vec<u64> = (0..19).collect();
    let args = args.as_slice().try_into().unwrap();
    let response = serve(
        &fixture,
        &mut firmware,
        &Request::Call { method: DATA, args },
    );
    assert_eq!(
        response,
        Some(ResponseEntry {
            words: 1,
            rets: 171
        })
    );
    let call = fixture.seen.calls.borrow_mut().pop().unwrap();
    assert_eq!(
        (call.target, call.args.len()),
        (Target::Method("add".into()), 19)
    );
}

#[test]
fn a_call_that_is_pending_is_asked_again_on_the_next_tick() {
    let layout = plain(PtrWidth::P4);
    let fixture = Fixture::new(&[(BASE, layout)]);
    let mut firmware = ready(&fixture, BASE, layout);
    fixture.chip.ram.put_string(DATA, "later");
    let request = Request::Call {
        method: DATA,
        args: [5].into(),
    };
    assert_eq!(serve(&fixture, &mut firmware, &request), None);
    for schedule in [Schedule::Now, Schedule::NextTick, Schedule::NextTick] {
        let call = fixture.seen.calls.take().pop().unwrap();
        assert_eq!(
            (call.schedule, call.args, call.channel),
            (schedule, vec![5], "core0".into())
        );
        let pending = fixture.seen.pending.take().pop().unwrap();
        pending.send(Ok(Provider::Testbench.outcome(Progress::Pending)));
        fixture.tick();
        assert_eq!(firmware.try_receive(), None);
    }
    let pending = fixture.seen.pending.take().pop().unwrap();
    pending.send(Ok(
        Provider::Testbench.outcome(Progress::Ready(0x1_0000_0007))
    ));
    fixture.tick();
    let response = ResponseEntry { words: 1, rets: 7 };
    assert_eq!(
        firmware.try_receive(),
        Some(response),
        "as far as P reaches"
    );
    let [(Severity::Warning, channel, text)] = &fixture.reports()[..] else {
        panic!("not one warning");
    };
    assert_eq!(channel, "core0");
    assert!(
        text.starts_with("method `later` returned 0x100000007, ")
            && text.contains("firmware gets the low half, 0x7; "),
        "{text}"
    );
}
