// Testbench library of vhost in plain SystemVerilog: channels, methods, black-box memories,
// sockets, and the functions that the library calls.
//
// A testbench registers its methods and memories with `MbHost::get()`, connects a `MailboxIf`, and
// runs `mb_server_run()`. The classes for UVM (mailbox.sv) are based on this.
`ifndef MAILBOX_CORE_PKG_SV
`define MAILBOX_CORE_PKG_SV

`include "mailbox.svh"
`include "mailbox_socket_pkg.sv"

package mailbox_core_pkg;
    `include "mb_socket.sv"
    `include "core/mb_types.svh"
    `include "core/mb_dpi.svh"
    `include "core/mb_object.svh"
    `include "core/mb_hooks.svh"
    `include "core/mb_snapshots.svh"
    `include "core/mb_callable.svh"
    `include "core/mb_pending.svh"
    `include "core/mb_method.svh"
    `include "core/mb_addressable.svh"
    `include "core/mb_memory.svh"
    `include "core/mb_sparse.svh"
    `include "core/mb_channel.svh"
    `include "core/mb_host.svh"
    `include "core/mb_exports.svh"
endpackage

`endif
