// The clock of the mailbox: the library is called from here.
//
// The testbench drives `clk`, and `reset` where it has one: no tick while that is 1. A tick is a look at the mailboxes:
//
//   period     a tick every so many clocks (default 1); 0: only where there is a reason, which is that
//   notify()   was called, by a monitor of the bus that saw a write into a mailbox; or that
//              a method's call is pending, which is asked on every clock
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
    // notify() was called since the last tick, or before that: what was written when a clock ticked is there at the next.
    bit          notified, notified_last;

    // The library is called from this interface: for the first system, or for that of another host.
    function automatic void connect(MbHost to = null);
        host = to != null ? to : MbHost::get();
        host.connect();
        notify();
    endfunction

    // Something is written to a mailbox; at the next clock it is there.
    function automatic void notify();
        notified = 1;
    endfunction

    always @(posedge clk)
        if (host != null && host.serving && !reset) begin
            clocks = clocks + 1;
            // Not just when it is equal: the testbench may have shortened the period.
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

    // An interface that was never connected, too: the host is not served then, and must say so.
    final
        if (host != null)
            host.finish();
        else
            MbHost::get().finish();
endinterface

// Behind UVM, the classes for it: packages that include mailbox.sv share them.
`ifdef UVM_PKG_SV
`include "mailbox_uvm_pkg.sv"
`endif

`endif
