// The cluster without UVM: what firmware calls and what it prints is the same.
//
//   +clocks=N    how long the watchdog waits for the end (default 2,000,000)
//   +ask         the testbench, too, calls a method by way of the library
//   +spin        the method `wait` loops for ever
//   +snapshots=N a snapshot every N ticks; a run that fails runs again from the newest one
//   +waves=FILE  waves of the rerun
module testbench;
    import mailbox_core_pkg::*;
    import plain_pkg::*;

    localparam int CORES = 3;

    bit                     clk, resetn;
    bit [CORES-1:0]         trap, write;
    bit [CORES-1:0][31:0]   write_addr, write_data;
    bit [CORES-1:0][3:0]    write_strobes;

    MailboxIf mailbox_if ();
    cluster_bench #(.CORES(CORES)) bench (.*);

    MbSparse scratch = new("scratch");

`ifdef FST
    import "DPI-C" function void close_waves();
`endif

    // Switches waves on in the rerun.
    class Waves extends MbSnapshots;
        function new(longint unsigned every);
            super.new(every);
        endfunction

        virtual function void woken();
            string file;
            $display("testbench: runs again from time %0t", $time);
            if ($value$plusargs("waves=%s", file) != 0) begin
                $dumpfile(file);
                $dumpvars();
            end
        endfunction

`ifdef FST
        virtual function void ending();
            close_waves();
        endfunction
`endif
    endclass

    // Tells when a run has failed.
    class Timed extends MbHooks;
        virtual function void report(mb_severity_e severity, string id, string text);
            if (severity >= MB_ERROR)
                $display("testbench: has failed at time %0t", $time);
            super.report(severity, id, text);
        endfunction
    endclass

    initial begin
        automatic longint unsigned every;
        automatic Timed            timed = new;
        if ($value$plusargs("snapshots=%d", every) != 0) begin
            automatic Waves waves = new(every);
            MbHost::get().set_hooks(timed);
            MbHost::get().set_snapshots(waves);
        end
    end

    initial begin
        automatic MbHost host = MbHost::get();
        automatic AddMethod add = new;
        automatic WaitMethod wait_ = new;
        automatic ClocksMethod clocks = new;
        automatic SequenceMethod sequence_ = new;
        automatic TotalMethod total = new;
        automatic SessionMethod session = new;
        host.register_method(add);
        host.register_method(wait_);
        host.register_method(clocks);
        host.register_method(sequence_);
        host.register_method(total);
        host.register_method(session);
        host.register_memory(scratch);
        mailbox_if.connect();
        mb_server_run();
        foreach (host.codes[ch])
            $display("%s has exited with %0d", ch, host.codes[ch]);
        $finish;
    end

    // One poll after each clock, as a C model would do it.
    initial if ($test$plusargs("ask") != 0) begin
        automatic longint unsigned args[16];
        automatic int unsigned     status = MB_PENDING;
        MbHost::get().start();
        @(posedge resetn);
        while (status == MB_PENDING) begin
            @(negedge clk);
            void'(__mb_call("cpu0", "clocks", 0, args, status));
        end
        $display("`clocks` has answered with status %0d", status);
    end

    // ---- Ends that are none ----

    int unsigned clocks, most_clocks = 2_000_000;

    initial void'($value$plusargs("clocks=%d", most_clocks));

    always @(posedge clk) begin
        clocks <= clocks + 1;
        if (resetn && trap != 0) begin
            MbHost::get().run_failed();
            $fatal(1, "a core has trapped: %b", trap);
        end
        if (clocks == most_clocks)
            $fatal(1, "%0d clocks and no end:\n%s", clocks, mb_status());
    end
endmodule
