use bytes::Bytes;
use mailbox_rs::{Errno, PtrWidth};

use super::{CHANNEL, Kit, outside, segments, span};
use crate::bus::{Content, Endpoint};
use crate::mem::{Op, Segments};
use crate::messages::front_end::{self, Operate, OperateError};
use crate::messages::semihosting::{ENDPOINT, Operation, OperationServed, Semihosting};
use crate::messages::{Interface, SemihostingPlace};

const STUB: u64 = 0x1000;
const BLOCK: u64 = 0x2000;
const BUFFER: u64 = 0x3000;

const OPEN: u64 = 0x01;
const CLOSE: u64 = 0x02;
const WRITE: u64 = 0x05;
const READ: u64 = 0x06;
const READC: u64 = 0x07;

fn interface(stub: Option<u64>) -> Interface {
    let ptr_width = PtrWidth::P8;
    Interface::Semihosting(SemihostingPlace {
        ptr_width,
        stub,
        harts: 1,
        flush: None,
    })
}

fn kit() -> Kit {
    Kit::new(ENDPOINT, interface(Some(STUB)), segments(STUB, 36))
}

fn by_testbench() -> Kit {
    Kit::new(ENDPOINT, interface(None), Segments::new())
}

impl Kit {
    /// Shows a poll of the flags: of the first two harts, and of other harts.
    fn flags(&mut self, flags: [u32; 3]) {
        let [first, second, other] = flags;
        let words = [first, second, 0, 0, 0, 0, 0, 0, other].map(u32::to_le_bytes);
        self.polls(segments(STUB, 36), words.as_flattened());
    }

    /// Shows the read of a hart's words.
    fn asks(&mut self, hart: u64, operation: u64, argument: u64) {
        let words = [operation, argument].map(u64::to_le_bytes);
        self.reads(span(STUB + 64 + 16 * hart, 16), words.as_flattened());
    }

    fn parameters(&mut self, words: &[u64]) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.reads(span(BLOCK, bytes.len() as u64), &bytes);
    }

    fn serve(&mut self, operation: u64, words: &[u64], result: Result<u64, Errno>) {
        self.event(&OperationServed {
            channel: CHANNEL,
            hart: 0,
            operation: Operation(operation),
            args: [&[BLOCK], words].concat(),
            since: 0,
            result: Some(result.unwrap_or(u64::MAX)),
            error: result.err(),
        });
    }

    fn answers(&mut self, result: u64) {
        self.writes(Op::Batch(vec![
            Op::Word(span(STUB + 64, 8), result),
            Op::Word(span(STUB, 4), 0),
        ]));
    }

    /// Shows an operation of the first hart from its flag to its result.
    fn operates(&mut self, operation: u64, words: &[u64], result: Result<u64, Errno>) {
        self.flags([1, 0, 0]);
        self.asks(0, operation, BLOCK);
        if !words.is_empty() {
            self.parameters(words);
        }
        self.serve(operation, words, result);
        self.answers(result.unwrap_or(u64::MAX));
    }

    fn operate(&mut self, operation: u64) -> u64 {
        let operate = Operate {
            channel: CHANNEL,
            hart: 0,
            operation,
            argument: BLOCK,
        };
        self.post::<front_end::Inbox<Semihosting>, _>(Endpoint::EXTERNAL, &operate)
    }

    fn operated(&mut self, sequence: u64, answer: Option<u64>) {
        let answer: Result<_, OperateError> = Ok(answer);
        let content = Content::Reply(&answer);
        self.see::<front_end::Inbox<Semihosting>, Operate>(sequence, Endpoint::EXTERNAL, content);
    }
}

#[test]
fn operations_in_order_are_no_findings() {
    let mut kit = kit();
    kit.operates(OPEN, &[BUFFER, 4, 8], Ok(3));
    kit.operates(WRITE, &[3, BUFFER, 8], Ok(0));
    kit.operates(CLOSE, &[3], Ok(0));
    kit.operates(OPEN, &[BUFFER, 0, 8], Err(Errno::ENOENT));
    // The operation waits for input, and is requested again.
    kit.flags([1, 0, 0]);
    for _ in 0..3 {
        kit.asks(0, READ, BLOCK);
        kit.parameters(&[0, BUFFER, 16]);
    }
    kit.writes(Op::Write(span(BUFFER, 4), Bytes::from_static(b"text")));
    kit.serve(READ, &[0, BUFFER, 16], Ok(12));
    kit.answers(12);
    // Firmware starts again.
    kit.flags([1, 0, 0]);
    kit.asks(0, READC, 0);
    kit.flags([0, 0, 0]);
    kit.operates(0x15, &[BUFFER, 64], Ok(0));
    kit.finds_nothing();
}

#[test]
fn the_testbench_gets_one_answer() {
    let mut kit = by_testbench();
    let waits = kit.operate(READC);
    kit.operated(waits, None);
    let asked = kit.operate(READC);
    kit.serve(READC, &[], Ok(0x41));
    kit.operated(asked, Some(0x41));
    kit.finds_nothing();
    let asked = kit.operate(READC);
    kit.serve(READC, &[], Ok(0x41));
    kit.operated(asked, Some(0x42));
    kit.finds("hart 0: the host answers READC by 0x42, which has given 0x41");
    let asked = kit.operate(READC);
    kit.operated(asked, Some(0x42));
    kit.finds("hart 0: the host answers READC by 0x42, and has not served it");
    let asked = kit.operate(READC);
    kit.serve(READC, &[], Ok(0x41));
    kit.operated(asked, None);
    kit.finds("hart 0: the host has served READC, and does not answer it");
}

#[test]
fn a_trap_that_is_taken_has_one_answer() {
    let mut kit = kit();
    kit.operates(READC, &[], Ok(0x41));
    kit.finds_nothing();
    kit.answers(0x41);
    let nothing = [
        "hart 0: the host writes the result 0x41 at 0x1040, where no operation waits for it",
        "hart 0: the host sets the flag at 0x1000 to 0, and has not answered",
    ];
    assert_eq!(kit.found(), nothing);
    kit.asks(0, READC, BLOCK);
    kit.finds("hart 0: the host takes an operation, and the flag at 0x1000 is 0");
    kit.serve(READC, &[], Ok(0x41));
    kit.answers(0x42);
    kit.finds(
        "hart 0: the host writes 0x42 at 0x1040 as the result of an operation that has given 0x41",
    );
    kit.flags([1, 0, 0]);
    kit.asks(0, READC, BLOCK);
    kit.serve(READC, &[], Ok(0x41));
    kit.asks(0, READC, BLOCK);
    kit.finds("hart 0: the host begins READC, and has not answered READC before");
    kit.writes(Op::Word(span(STUB, 4), 2));
    let flag = [
        "hart 0: the host writes 0x2 to the flag at 0x1000, which it only sets to 0",
        "hart 0: the host sets the flag at 0x1000 to 0, and has not answered",
    ];
    assert_eq!(kit.found(), flag);
    kit.serve(READC, &[], Ok(0));
    kit.finds("hart 0: the host has served READC of 0x2000, which the hart has not asked for");
}

#[test]
fn handles_are_open_before_they_are_used() {
    let mut kit = kit();
    kit.operates(WRITE, &[3, BUFFER, 8], Err(Errno::EBADF));
    let found = kit.found();
    // The result of a failed transfer is its length, and this one is larger.
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(
        found[1],
        "hart 0: WRITE at 0x2000 of handle 0x3, which is not open: firmware has not opened it, or has closed it"
    );
    kit.operates(OPEN, &[BUFFER, 4, 8], Ok(3));
    kit.operates(CLOSE, &[3], Ok(0));
    kit.finds_nothing();
    kit.operates(CLOSE, &[3], Err(Errno::EBADF));
    kit.finds(
        "hart 0: CLOSE at 0x2000 of handle 0x3, which is not open: firmware has not opened it, or has closed it",
    );
    kit.operates(0x0c, &[3], Ok(9));
    kit.finds("hart 0: FLEN at 0x2000 of handle 0x3, which is not open: the host carries it out");
    kit.operates(OPEN, &[BUFFER, 4, 8], Ok(2));
    kit.finds("hart 0: the host gives handle 0x2, which is open");
    kit.operates(OPEN, &[BUFFER, 12, 8], Err(Errno::EINVAL));
    kit.finds("hart 0: firmware opens a file at 0x2000 with mode 0xc, which is none of 0 to 11");
    for handle in 3..259 {
        kit.operates(OPEN, &[BUFFER, 0, 8], Ok(handle));
    }
    kit.finds_nothing();
    kit.operates(OPEN, &[BUFFER, 0, 8], Ok(259));
    kit.finds("hart 0: the host gives handle 0x103 while 256 are open");
}

#[test]
fn results_of_transfers_are_bounded_by_their_length() {
    let mut kit = kit();
    kit.operates(WRITE, &[1, BUFFER, 8], Ok(9));
    kit.finds("hart 0: the host says that 0x9 of 0x8 bytes of the WRITE at 0x2000 were not moved");
}

#[test]
fn operations_that_do_not_exist_are_firmware_s_fault() {
    let mut kit = kit();
    kit.operates(0x77, &[], Err(Errno::ENOSYS));
    kit.finds("hart 0: firmware asks for operation 0x77 at 0x2000, which does not exist");
}

#[test]
fn firmware_leaves_its_words_alone_while_an_operation_waits() {
    let mut kit = kit();
    kit.flags([1, 0, 0]);
    kit.asks(0, READC, 0);
    kit.asks(0, 0x10, 0);
    kit.finds(
        "hart 0: the words at 0x1040 went from READC of 0x0 to CLOCK of 0x0: firmware must leave them alone while an operation waits",
    );
    kit.flags([1, 5, 0]);
    kit.finds("hart 1: the flag at 0x1004 is 0x5, which firmware only sets to 1");
    kit.flags([1, 5, 10]);
    kit.finds(
        "the flag at 0x1020 is 0xa: a hart without words asks for an operation, and gets no answer",
    );
    kit.flags([1, 5, 10]);
    kit.finds_nothing();
    kit.flags([1, 5, 1]);
    kit.finds(
        "the flag at 0x1020 is 0x1: an operation is asked for while another one waits, by a second hart or by a trap handler; the code in place of traps is for one",
    );
}

#[test]
fn the_host_writes_no_memory_that_no_operation_names() {
    let neither = "which are neither its words nor memory that firmware names";
    let mut kit = kit();
    kit.flags([1, 0, 0]);
    kit.asks(0, READ, BLOCK);
    kit.parameters(&[0, BUFFER, 16]);
    kit.writes(Op::Fill(span(BUFFER + 15, 1), 7));
    kit.finds_nothing();
    kit.writes(Op::Fill(span(BUFFER + 16, 1), 7));
    kit.finds(&format!(
        "the host writes 0x1 bytes at 0x3010 (0x7), {neither}"
    ));
    kit.serve(READ, &[0, BUFFER, 16], Ok(0));
    kit.writes(Op::Fill(span(BUFFER, 16), 0));
    kit.finds(&format!("the host writes 0x10 bytes at 0x3000, {neither}"));
    // Code for the traps, and the second half of the result.
    kit.writes(Op::Fill(span(STUB + 72, 8), 0));
    kit.finds(&format!(
        "the host writes 0x8 bytes at 0x1048 (0x0), {neither}"
    ));
}

#[test]
fn a_parameter_block_outside_of_the_map_is_firmware_s_fault() {
    let mut kit = kit();
    kit.flags([1, 0, 0]);
    kit.asks(0, OPEN, BLOCK);
    kit.access(Op::Read(span(BLOCK, 24)), Err(outside(BLOCK)));
    kit.finds(
        "firmware reaches outside of the map by OPEN of hart 0 with its parameter block at 0x2000: space `cpu` has no memory at 0x2000, \
         needed for the 4 bytes at 0x2000; have it pass an address of memory, or add the memory to the map",
    );
    kit.serve(OPEN, &[], Err(Errno::EFAULT));
    kit.answers(u64::MAX);
    kit.finds_nothing();
    // The operation with the address, of two in service.
    kit.flags([1, 1, 0]);
    kit.asks(1, READC, 0);
    kit.asks(0, READ, BLOCK);
    kit.parameters(&[0, 0x9000, 4]);
    kit.access(Op::Read(span(0x9000, 4)), Err(outside(0x9000)));
    kit.finds(
        "firmware reaches outside of the map by READ(0x0, 0x9000, 0x4) of hart 0 with its parameter block at 0x2000: space `cpu` has no \
         memory at 0x9000, needed for the 4 bytes at 0x9000; have it pass an address of memory, or add the memory to the map",
    );
}

#[test]
fn attached_later_it_does_not_know_the_handles() {
    let mut kit = Kit::attached_late(ENDPOINT, interface(Some(STUB)), segments(STUB, 36));
    kit.writes(Op::Fill(span(BUFFER, 16), 0));
    kit.serve(READ, &[9, BUFFER, 16], Ok(0));
    kit.answers(0);
    kit.operates(CLOSE, &[9], Ok(0));
    kit.finds_nothing();
    kit.asks(0, READC, 0);
    kit.finds("hart 0: the host takes an operation, and the flag at 0x1000 is 0");
}
