// The cluster without UVM: what firmware calls and what it prints is the same.
//
//   +period=N    a tick every N clocks (default 1)
//   +notify      a tick only where there is a reason; with +period=N, then too
//   +clocks=N    how long the watchdog waits for the end (default 2,000,000)
module testbench;
    import mailbox_core_pkg::*;
    import plain_pkg::*;

    localparam int        CORES = 3;
    // Where firmware's mailbox is in a core's RAM (firmware/link.ld is told).
    localparam bit [31:0] RAM = 32'h1_0000;
    localparam bit [31:0] MAILBOX = 32'h8000;
    localparam bit [31:0] MAILBOX_SIZE = 800;

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

    MbSparse scratch = new("scratch");

    initial begin
        automatic MbHost       host = MbHost::get();
        automatic AddMethod    add = new;
        automatic WaitMethod   wait_ = new;
        automatic ClocksMethod clocks = new;
        if ($test$plusargs("notify") != 0)
            mailbox_if.period = 0;
        void'($value$plusargs("period=%d", mailbox_if.period));
        host.failed_status = 1;
        host.register_method(add);
        host.register_method(wait_);
        host.register_method(clocks);
        host.register_memory(scratch);
        mailbox_if.connect();
        mb_server_run();
        foreach (host.codes[ch])
            $display("%s has exited with %0d", ch, host.codes[ch]);
        $finish;
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

    // A store into a mailbox rings the doorbell.
    always @(posedge clk)
        for (int i = 0; i < CORES; i++)
            if (write[i] && write_addr[i] inside {[MAILBOX + RAM * i : MAILBOX + RAM * i + MAILBOX_SIZE - 1]})
                mailbox_if.notify();

    // ---- Ends that are none ----

    int unsigned clocks, most_clocks = 2_000_000;

    initial void'($value$plusargs("clocks=%d", most_clocks));

    always @(posedge clk) begin
        clocks <= clocks + 1;
        if (resetn && trap != 0)
            $fatal(1, "a core has trapped: %b", trap);
        if (clocks == most_clocks)
            $fatal(1, "%0d clocks and no end:\n%s", clocks, mb_status());
    end
endmodule
