// Interface of the mailbox, which calls the library.
//
// The testbench drives `clk`, and `reset` if it has one: no tick while `reset` is 1. A tick polls
// the mailboxes:
//
//   period     a tick every `period` clocks (default 1); 0: only on notification or with a
//              pending call
//   notify()   notifies the host of a write to a mailbox: for a monitor of the bus
`ifndef MAILBOX_IF_SV
`define MAILBOX_IF_SV

`include "mailbox_core_pkg.sv"

interface MailboxIf ();
    import mailbox_core_pkg::*;

    bit          clk;
    bit          reset;
    int unsigned period = 1;

    MbHost       host;
    // Clocks since the last tick.
    int unsigned clocks;
    // A notification since the last tick, or in the tick before it: a value written at a clock edge
    // is visible at the next one.
    bit          notified, notified_last;

    // Makes this interface call the library: for the first system, or for that of another host.
    function automatic void connect(MbHost to = null);
        host = to != null ? to : MbHost::get();
        host.connect();
        notify();
    endfunction

    // Notifies the host of a write to a mailbox, which is visible at the next clock.
    function automatic void notify();
        notified = 1;
    endfunction

    always @(posedge clk)
        if (host != null && host.serving && !reset) begin
            clocks = clocks + 1;
            // Not only if it is equal: the testbench may have shortened the period.
            if (notified || notified_last || (period == 0 ? host.has_pending_calls() : clocks >= period)) begin
                clocks = 0;
                notified_last = notified;
                notified = 0;
                if (notified_last)
                    host.notify();
                host.tick();
            end
        end

    always @mb_begun
        if (host != null)
            host.run_calls();

    // Also for an interface that was never connected: the host was not served, and must report it.
    final
        if (host != null)
            host.finish();
        else
            MbHost::get().finish();
endinterface

// The classes for UVM, if it is compiled before: packages that include mailbox.sv share them.
`ifdef UVM_PKG_SV
`include "mailbox_uvm_pkg.sv"
`endif

`endif
