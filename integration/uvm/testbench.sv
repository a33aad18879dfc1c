// The cluster, its clock, and what stands between them and the UVM testbench. What a run is, the test says.
//
//   +period=N    a tick every N clocks (default 1)
//   +notify      a tick only where there is a reason; with +period=N, then too
module testbench;
    import uvm_pkg::*;
    `include "uvm_macros.svh"
    import mailbox_core_pkg::*;
    import mailbox_uvm_pkg::*;
    import cluster_pkg::*;

    bit                     clk, resetn;
    bit [CORES-1:0]         trap, write;
    bit [CORES-1:0][31:0]   write_addr, write_data;
    bit [CORES-1:0][3:0]    write_strobes;
    bit                     window_valid, window_ready;
    bit [31:0]              window_addr, window_wdata, window_rdata;
    bit [3:0]               window_wstrb;

    cluster #(.CORES(CORES)) cluster (.*);

    MailboxIf mailbox_if ();
    assign mailbox_if.clk = clk;
    assign mailbox_if.reset = !resetn;

    always #5 clk = !clk;

    initial begin
        repeat (8) @(posedge clk);
        resetn = 1;
    end

    initial begin
        if ($test$plusargs("notify") != 0)
            mailbox_if.period = 0;
        void'($value$plusargs("period=%d", mailbox_if.period));
        MbRoot::mb().set_inf(mailbox_if);
        run_test();
    end

    // The memory behind the window is the testbench's: firmware and host see the same bytes.
    always @(posedge clk) begin
        window_ready <= window_valid && !window_ready;
        if (window_valid && !window_ready)
            for (int b = 0; b < 4; b++) begin
                automatic byte unsigned data = window_wdata[8*b+:8];
                if (window_wstrb[b])
                    scratch.write(64'({window_addr[11:2], 2'(b)}), data);
                scratch.read(64'({window_addr[11:2], 2'(b)}), data);
                window_rdata[8*b+:8] <= data;
            end
    end

    // The bus: a store into a mailbox rings the doorbell, and any is told to those who listen.
    always @(posedge clk)
        for (int i = 0; i < CORES; i++)
            if (write[i]) begin
                if (write_addr[i] inside {[MAILBOX + RAM * i : MAILBOX + RAM * i + MAILBOX_SIZE - 1]})
                    mailbox_if.notify();
                if (bus != null)
                    bus.stored(i, write_addr[i], write_data[i], write_strobes[i]);
            end

    // A core that has come to nothing never exits.
    always @(posedge clk)
        if (resetn && trap != 0)
            `uvm_fatal("testbench", $sformatf("a core has trapped: %b", trap))
endmodule
