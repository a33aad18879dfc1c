// The cluster without UVM: firmware's calls and output are the same.
//
//   +clocks=N    timeout of the watchdog in clocks (default 2,000,000)
//   +ask         the testbench, too, calls methods, through the library and its own ones, and polls
//                them at several rates
//   +seldom      the testbench polls a method at each of firmware's lines, and doesn't poll the
//   call
//                of another one for 3000 clocks
//   +late        the testbench calls a method that yields too late
//   +spin        the method `wait` loops forever
//   +snapshots=N a snapshot every N ticks; a failed run is rerun from the newest one
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

    // Enables waves in the rerun.
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

    // Prints the time of a run's failure.
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
        automatic LateMethod late = new;
        host.register_method(add);
        host.register_method(wait_);
        host.register_method(clocks);
        host.register_method(sequence_);
        host.register_method(total);
        host.register_method(session);
        host.register_method(late);
        host.register_memory(scratch);
        mailbox_if.connect();
        mb_server_run();
        foreach (host.codes[ch])
            $display("%s has exited with %0d", ch, host.codes[ch]);
        $finish;
    end

    // Calls a method of cpu0 and polls it at an interval of clocks: through the library as a C
    // model does, or through the host.
    task automatic ask(bit by_library, string method, longint unsigned arg, int unsigned every, output longint unsigned result);
        longint unsigned words[16];
        mb_args_t        args = '{arg};
        int unsigned     status = MB_PENDING;
        words[0] = arg;
        while (status == MB_PENDING) begin
            repeat (every)
                @(negedge clk);
            if (by_library)
                result = __mb_call("cpu0", method, 1, words, status);
            else
                result = MbHost::get().poll("cpu0", method, 1, args, status);
        end
        $display("`%s` has answered with status %0d", method, status);
    endtask

    localparam int unsigned EVERY[4] = '{1, 2, 10, 40};

    initial if ($test$plusargs("ask") != 0) begin
        automatic longint unsigned result;
        MbHost::get().start();
        @(posedge resetn);
        ask(1, "clocks", 0, 1, result);
        // One coroutine, which no poll has restarted, serves all calls.
        foreach (EVERY[i])
            for (int by_library = 0; by_library < 2; by_library++) begin
                ask(1'(by_library), "session", 30, EVERY[i], result);
                $display("every %0d clocks: call %0d", EVERY[i], result / 100000);
            end
        // Calls of this method by firmware and by the testbench at the same time, each with its own
        // result.
        foreach (EVERY[i]) begin
            ask(1'(i), "wait", 64'(71 + i), EVERY[i], result);
            $display("every %0d clocks: waited for %0d", EVERY[i], result);
        end
    end

    // Polls a method at each line, which is in a tick. Prints warnings without their time, which
    // would look like a line of firmware.
    class PolledByLines extends MbHooks;
        virtual function void report(mb_severity_e severity, string id, string text);
            if (severity == MB_WARNING)
                $display("Warning: %s: %s", id, text);
            else
                super.report(severity, id, text);
        endfunction

        virtual function void line(string ch, string text);
            longint unsigned args[16];
            longint unsigned result;
            int unsigned     status;
            super.line(ch, text);
            args[0] = 30;
            result = __mb_call("cpu0", "session", 1, args, status);
            if (status == MB_READY)
                $display("polled by lines: call %0d", result / 100000);
        endfunction
    endclass

    initial if ($test$plusargs("seldom") != 0) begin
        automatic longint unsigned result;
        automatic mb_args_t        args = '{5};
        automatic int unsigned     status;
        automatic PolledByLines    hooks = new;
        MbHost::get().set_hooks(hooks);
        MbHost::get().start();
        @(posedge resetn);
        void'(MbHost::get().poll("cpu0", "wait", 1, args, status));
        repeat (3000)
            @(negedge clk);
        ask(0, "wait", 5, 1, result);
        $display("left alone: waited for %0d", result);
    end

    initial if ($test$plusargs("late") != 0) begin
        automatic longint unsigned result;
        MbHost::get().start();
        @(posedge resetn);
        ask(1, "late", 0, 1, result);
        ask(1, "late", 1, 1, result);
        $display("`late` has answered with %0d", result);
    end

    // ---- Other ends of the run ----

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
