//! Names and parameters of the system tasks.

use super::task::Body::{Guarded, Plain};
use super::task::Task;
use super::{lifecycle, memory, methods};
use crate::sim::system_task::ArgumentKind::{Array, Number, NumberOut, Text, TextOut, Trigger};
use crate::sim::system_task::Returned::{Integer, Long, Nothing};
use crate::sim::system_task::{Declaration, Parameter};

macro_rules! tasks {
    ($($name:literal, $returned:ident, $failed:literal, [$($parameter:ident: $kind:ident),*], $required:literal, $body:expr;)+) => {
        /// All system tasks.
        pub(super) static TASKS: &[Task] = &[$(Task {
            declaration: Declaration {
                name: $name,
                returned: $returned,
                parameters: &[$(Parameter { name: stringify!($parameter), kind: $kind }),*],
                required: $required,
            },
            body: $body,
            failed: $failed,
        }),+];
    };
}

// Name, result, result of a failed call, parameters, number of required ones, code.
tasks! {
    "$mb_init", Integer, -1, [mem_cfg: Text, mailbox_cfg: Text, fs_root: Text], 0, Guarded(lifecycle::init);
    "$mb_system_of_scope", Integer, -1, [], 0, Guarded(lifecycle::system_of_scope);
    "$mb_tick", Integer, -1, [], 0, Plain(lifecycle::tick);
    "$mb_notify", Nothing, 0, [], 0, Guarded(lifecycle::notify);
    "$mb_status", Nothing, 0, [], 0, Guarded(lifecycle::status);
    "$mb_shutdown", Nothing, 0, [], 0, Guarded(lifecycle::shutdown);
    "$mb_quit", Nothing, 0, [status: Number], 1, Guarded(lifecycle::quit);
    "$mb_exit_code", Integer, 0, [], 0, Guarded(lifecycle::exit_code);
    "$mb_watchdog", Integer, -1, [ticks: Number, severity: Number], 2, Guarded(lifecycle::watchdog);
    "$mb_attach", Integer, -1, [list: Text], 1, Guarded(lifecycle::attach);
    "$mb_set_file_root", Integer, -1, [dir: Text], 1, Guarded(lifecycle::set_file_root);
    "$mb_save", Integer, -1, [file: Text], 1, Guarded(lifecycle::save);
    "$mb_restore", Integer, -1, [file: Text], 1, Guarded(lifecycle::restore);

    "$mb_backdoor_write_u8", Nothing, 0, [space: Text, addr: Number, data: Number], 3, Guarded(memory::write::<1>);
    "$mb_backdoor_write_u16", Nothing, 0, [space: Text, addr: Number, data: Number], 3, Guarded(memory::write::<2>);
    "$mb_backdoor_write_u32", Nothing, 0, [space: Text, addr: Number, data: Number], 3, Guarded(memory::write::<4>);
    "$mb_backdoor_write_u64", Nothing, 0, [space: Text, addr: Number, data: Number], 3, Guarded(memory::write::<8>);
    "$mb_backdoor_read_u8", Nothing, 0, [space: Text, addr: Number, data: NumberOut], 3, Guarded(memory::read::<1>);
    "$mb_backdoor_read_u16", Nothing, 0, [space: Text, addr: Number, data: NumberOut], 3, Guarded(memory::read::<2>);
    "$mb_backdoor_read_u32", Nothing, 0, [space: Text, addr: Number, data: NumberOut], 3, Guarded(memory::read::<4>);
    "$mb_backdoor_read_u64", Nothing, 0, [space: Text, addr: Number, data: NumberOut], 3, Guarded(memory::read::<8>);
    "$mb_backdoor_write_string", Nothing, 0, [space: Text, addr: Number, data: Text], 3, Guarded(memory::write_string);
    "$mb_backdoor_read_string", Nothing, 0, [space: Text, addr: Number, data: TextOut], 3, Guarded(memory::read_string);
    "$mb_backdoor_write_block", Integer, -1, [space: Text, addr: Number, data: Array], 3, Guarded(memory::write_block);
    "$mb_backdoor_read_block", Integer, -1, [space: Text, addr: Number, data: Array], 3, Guarded(memory::read_block);
    "$mb_bb_mem", Nothing, 0, [name: Text, array: Array], 2, Guarded(memory::name_array);
    "$mb_load_elf", Integer, -1, [space: Text, file: Text], 2, Guarded(memory::load_elf);
    "$mb_get_space", Nothing, 0, [ch: Text, space: TextOut], 2, Guarded(memory::space);
    "$mb_symbol", Integer, -1, [place: Text, name: Text, value: NumberOut, size: NumberOut], 3, Guarded(memory::symbol);

    "$mb_on_call", Nothing, 0, [method: Text, trigger: Trigger], 2, Guarded(methods::on_call);
    "$mb_next_call", Integer, 0, [method: Text], 0, Guarded(methods::next);
    "$mb_pending_calls", Integer, 0, [], 0, Guarded(methods::pending);
    "$mb_call_is", Integer, 0, [call: Number, method: Text], 2, Guarded(methods::is);
    "$mb_call_method", Nothing, 0, [call: Number, method: TextOut], 2, Guarded(methods::method);
    "$mb_call_channel", Nothing, 0, [call: Number, ch: TextOut], 2, Guarded(methods::channel);
    "$mb_call_args", Integer, 0, [call: Number], 1, Guarded(methods::args);
    "$mb_call_arg", Long, 0, [call: Number, index: Number], 2, Guarded(methods::arg);
    "$mb_answer", Nothing, 0, [call: Number, result: Number], 1, Guarded(methods::answer);
    "$mb_no_method", Nothing, 0, [call: Number], 1, Guarded(methods::no_method);
    "$mb_fail", Nothing, 0, [call: Number], 1, Guarded(methods::fail);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_usages_are_documented() {
        let page = include_str!("../../../docs/icarus.md");
        let mut names = BTreeSet::new();
        for task in TASKS {
            let declaration = &task.declaration;
            assert!(names.insert(declaration.name), "{}", declaration.name);
            assert!(declaration.required <= declaration.parameters.len());
            let usage = format!("`{}`", declaration.usage());
            assert!(page.contains(&usage), "docs/icarus.md lacks {usage}");
        }
    }
}
