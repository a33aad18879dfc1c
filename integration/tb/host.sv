// Host of the testbench: starts the library, ticks it, and has the functions that it calls.
//
//   +tick=N    a tick every N clocks (default 1); 0: none
//   +notify    a tick after each write that the monitor observes, and on every clock while a call
//              is pending; +tick=N adds ticks for other changes (default 0)
//   +watchdog=N  fails the run if a channel makes no progress for N ticks
//   +snapshots=N  a snapshot every N ticks; a failed run is rerun from the newest one
//   +runs=N    forks N runs when firmware has booted, and ends when they have ended
//   +run=N     a single run with this number, without a fork
//   +rounds=N  number of firmware's rounds of work
//   +roots=DIR folder of firmware's files: DIR/boot during the boot, DIR/runN in run N
//   +roots=DIR run N has its files in DIR/runN; before, they are in DIR/boot
module host
    import vhost_pkg::*;
(
    input  bit  clk,
    // A mailbox was written.
    input  bit  written,
    // All channels have exited, or the host has failed.
    output bit  over,
    // First exit code of firmware other than 0; 255 if the host has failed.
    output int  status
);
    // The library finds the exports below in the scope of the mb_init call, which is imported here.
    import "DPI-C" context function int mb_init(
        input string mem_cfg, input string mailbox_cfg, input string fs_root);
`ifdef SYSTEMS
    // With VHOST_SYSTEMS=scope each instance has a system of its own, for calls from here. Calls
    // from functions that the library calls are for the same system, wherever they are imported.
    import "DPI-C" context function int mb_tick();
    import "DPI-C" context function void mb_notify();
    import "DPI-C" context function void mb_shutdown();
    import "DPI-C" context function string mb_last_error();
    import "DPI-C" context function int mb_watchdog(input longint unsigned ticks, input int severity);
    import "DPI-C" context function int mb_rerun();
`endif

    export "DPI-C" function mb_exit;
    export "DPI-C" function mb_report;
    export "DPI-C" function sv_registery_ch;
    export "DPI-C" function mb_sv_call;
    export "DPI-C" function mb_bb_mem_read;
    export "DPI-C" function mb_bb_mem_write;
`ifndef BLACK_BOX_BY_BYTE
    export "DPI-C" function mb_bb_mem_read_block;
    export "DPI-C" function mb_bb_mem_write_block;
`endif

    int unsigned period;
    bit          on_notify;

    longint unsigned patience;

    // Ticks between two snapshots, and number of runs to fork; 0 for none.
    longint unsigned every;
    int unsigned     runs, rounds;
    // Number of this run, and folder of all runs' files; empty for none.
    int              run;
    string           roots;
    // This process is a woken snapshot.
    bit              again;

    // Numbers of channels, of exited channels, and of reports of severity error or fatal.
    int unsigned channels, exits, errors;

    initial begin
        on_notify = $test$plusargs("notify") != 0;
        if ($value$plusargs("tick=%d", period) == 0)
            period = on_notify ? 0 : 1;
        // Empty: files of MEM_CFG_FILE, MAILBOX_CFG_FILE and MAILBOX_FS_ROOT.
        if (mb_init("", "", "") != 0)
            fail();
        else if ($value$plusargs("watchdog=%d", patience) != 0 && mb_watchdog(patience, FATAL) != 0)
            fail();
        if ($value$plusargs("snapshots=%d", every) != 0)
            void'(mb_snapshots(every, 2));
        void'($value$plusargs("runs=%d", runs));
        void'($value$plusargs("rounds=%d", rounds));
        if ($value$plusargs("roots=%s", roots) != 0)
            set_root("boot", "shared.txt", "0123456789");
`ifdef CONSOLE
        // After mb_init, so that the recording has all messages of the socket.
        console = new();
`endif
    end

    final begin
        if (status != 0)
            void'(mb_rerun());
        mb_shutdown();
    end

    // ---- Time ----

    longint unsigned clocks;
    int unsigned     since_tick;
    bit              look;

    // Start clocks of pending calls of `wait` by channel, after the last tick and for this tick.
    longint unsigned began[string], pending[string];
    // Number of pending calls.
    int unsigned     waiting;

    always @(posedge clk) begin
        clocks <= clocks + 1;
        since_tick <= since_tick + 1;
        if (look || since_tick + 1 == period) begin
            since_tick <= 0;
            if (!over)
                tick();
        end
        if (booted != "" && !begun)
            if (runs != 0)
                fork_runs();
            else
                begin_run();
        // A value written at this edge is visible at the next one.
        look <= on_notify && (written || waiting != 0);
    end

    always @(posedge clk)
        if (on_notify && written)
            mb_notify();

    function automatic void tick();
        int served = mb_tick();
        if (every != 0 && !again && mb_is_rerun() != 0) begin
            again = 1;
            $display("host: runs again from clock %0d", clocks);
        end
        // Every pending call was polled again. A call without a poll has ended: firmware has reset
        // its channel.
        if (waiting != 0 || pending.num() != 0) begin
            began = pending;
            pending.delete();
            waiting = unsigned'(began.num());
        end
        if (served < 0)
            fail();
        else if (served == 0) begin
            over = 1;
            // Without an exit, the library has not found the exports.
            if (exits == 0)
                fail();
        end
    endfunction

    // ---- Many runs of one boot ----

    // Channel that has booted, address of its payload, and true once the payload is there.
    string           booted;
    longint unsigned payload;
    bit              begun;

    // Method of firmware that has booted: returns the number of the run once the payload is at this
    // address.
    function automatic longint unsigned boot_over(string ch, longint unsigned addr, output int unsigned status);
        booted = ch;
        payload = addr;
        status = begun ? READY : PENDING;
        return 64'(unsigned'(run));
    endfunction

    // Forks the runs. The parent's status is the first one of a run that is not 0.
    function automatic void fork_runs();
        run = mb_runs(runs, 2);
        if (run < 0)
            fail();
        else if (run != int'(runs)) begin
            $display("host: this is run %0d", run);
            begin_run();
        end else begin
            for (int unsigned i = 0; i < runs; i++) begin
                $display("host: run %0d has ended with %0d", i, mb_run_status(i));
                if (status == 0)
                    status = mb_run_status(i);
            end
            begun = 1;
            over = 1;
        end
    endfunction

    // Sets this run's files and payload.
    function automatic void begin_run();
        string space;
        begun = 1;
        // Also for runs that the main program has forked.
        void'($value$plusargs("run=%d", run));
        if (roots != "")
            set_root($sformatf("run%0d", run), "payload.txt", $sformatf("%0d", run));
        mb_get_space(booted, space);
        mb_backdoor_write_u32(space, payload, unsigned'(run));
    endfunction

    // C's function: Verilator 5.006 has no $system with a string.
    import "DPI-C" system = function int shell(input string command);

    // Moves the root of firmware's files to the folder of this name, and creates a file in it.
    function automatic void set_root(string name, string file, string text);
        string folder = {roots, "/", name};
        int    written;
        written = $fopen({folder, "/", file}, "w");
        if (written == 0) begin
            void'(shell({"mkdir -p ", folder}));
            written = $fopen({folder, "/", file}, "w");
        end
        $fwrite(written, "%s", text);
        $fclose(written);
        if (mb_set_file_root(folder) != 0)
            fail();
    endfunction

    // Ends the run as failed, and prints the error if the library has not reported it.
    function automatic void fail();
        status = 255;
        over = 1;
        if (errors == 0)
            $display("host: nothing was served: %s", mb_last_error());
    endfunction

    function automatic void sv_registery_ch(string ch);
        channels++;
        $display("host: serves %s", ch);
    endfunction

    function automatic void mb_exit(int unsigned code);
        exits++;
        if (exits > channels) begin
            $display("host: %0d exits of %0d channels", exits, channels);
            status = 255;
        end else if (status == 0)
            status = code > 255 ? 255 : int'(code);
    endfunction

    // ---- Reports ----

    function automatic void mb_report(int severity, string id, string msg);
        if (severity >= 2)
            errors++;
        case (severity)
            0: $display("info: %s: %s", id, msg);
            1: $display("warning: %s: %s", id, msg);
            2: $display("error: %s: %s", id, msg);
            default: $display("fatal: %s: %s", id, msg);
        endcase
    endfunction

    // ---- Methods that firmware calls ----

`ifdef SYSTEMS
    function automatic longint unsigned ram_words_accessed();
        return 0;
    endfunction
`else
    import "DPI-C" function longint unsigned ram_words_accessed();
`endif

    // Polls a method once; `args` always has 16 words, of which arg_len count.
    function automatic longint unsigned mb_sv_call(
        string ch, string method, int unsigned arg_len, longint unsigned args[16], output int unsigned status);
        status = READY;
        case (method)
            "add": return args.sum();
            "clocks": return clocks;
            "wait": return wait_clocks(ch, args[0], status);
            "greet": return greet(ch, args[0]);
            "increment": return increment(ch, args[0], args[1]);
            "reverse": return reverse(ch, args[0]);
            "rounds": return 64'(rounds);
            "booted": return boot_over(ch, args[0], status);
            "words_accessed": return ram_words_accessed();
`ifdef CONSOLE
            "console_put": return console_put(ch, args[0], status);
            "console_get": return console_get(ch, status);
`endif
            default: begin
                status = NO_METHOD;
                return 0;
            end
        endcase
    endfunction

`ifdef CONSOLE
    // Created after the host has started.
    console_pkg::Console console;

    function automatic longint unsigned console_put(
        string ch, longint unsigned character, output int unsigned status);
        began.delete(ch);
        status = READY;
        if (!console.put(8'(character))) begin
            status = PENDING;
            pending[ch] = clocks;
        end
        return 0;
    endfunction

    function automatic longint unsigned console_get(string ch, output int unsigned status);
        byte unsigned character;
        began.delete(ch);
        status = READY;
        if (!console.get(character)) begin
            status = PENDING;
            pending[ch] = clocks;
        end
        return 64'(character);
    endfunction
`endif

    // Returns after `count` clocks, with `count` as the result.
    function automatic longint unsigned wait_clocks(string ch, longint unsigned count, output int unsigned status);
        longint unsigned since = began.exists(ch) != 0 ? began[ch] : clocks;
        began.delete(ch);
        status = READY;
        if (clocks - since < count) begin
            pending[ch] = since;
            status = PENDING;
        end
        return count;
    endfunction

    // Reads the string at an address by backdoor, writes it back in capitals, and returns its
    // length.
    function automatic longint unsigned greet(string ch, longint unsigned addr);
        string space, name;
        mb_get_space(ch, space);
        mb_backdoor_read_string(space, addr, name);
        mb_backdoor_write_string(space, addr, name.toupper());
        return 64'(unsigned'(name.len()));
    endfunction

    // Adds one to the word of this many bytes at an address.
    function automatic longint unsigned increment(string ch, longint unsigned addr, longint unsigned bytes);
        string            space;
        byte unsigned     u8;
        shortint unsigned u16;
        int unsigned      u32;
        longint unsigned  u64;
        mb_get_space(ch, space);
        case (bytes)
            1: begin
                mb_backdoor_read_u8(space, addr, u8);
                mb_backdoor_write_u8(space, addr, u8 + 1);
            end
            2: begin
                mb_backdoor_read_u16(space, addr, u16);
                mb_backdoor_write_u16(space, addr, u16 + 1);
            end
            4: begin
                mb_backdoor_read_u32(space, addr, u32);
                mb_backdoor_write_u32(space, addr, u32 + 1);
            end
            default: begin
                mb_backdoor_read_u64(space, addr, u64);
                mb_backdoor_write_u64(space, addr, u64 + 1);
            end
        endcase
        return 0;
    endfunction

    // Reverses the 32 bytes at an address. Returns the number of bytes moved, less the number of
    // failed accesses.
    function automatic longint unsigned reverse(string ch, longint unsigned addr);
        string        space;
        byte unsigned there[32], back[32];
        int           moved;
        mb_get_space(ch, space);
        moved = mb_backdoor_read_block(space, addr, there);
        foreach (there[i])
            back[31-i] = there[i];
        moved += mb_backdoor_write_block(space, addr, back);
        return 64'(unsigned'(moved));
    endfunction

    // ---- Scratch memory and RAM for the host; addresses are relative to the first byte ----

    function automatic void mb_bb_mem_read(string name, longint unsigned addr, output byte unsigned data);
`ifdef SYSTEMS
        if (name == "ram")
            data = soc.core[0].ram.bytes[addr[16:0]];
        else
`endif
            data = soc.core[0].private_memory.scratch.bytes[addr[11:0]];
    endfunction

    function automatic void mb_bb_mem_write(string name, longint unsigned addr, byte unsigned data);
`ifdef SYSTEMS
        if (name == "ram")
            soc.core[0].ram.bytes[addr[16:0]] = data;
        else
`endif
            soc.core[0].private_memory.scratch.bytes[addr[11:0]] = data;
    endfunction

`ifndef BLACK_BOX_BY_BYTE
    function automatic void mb_bb_mem_read_block(
        string name, longint unsigned addr, int unsigned len, output byte unsigned data[64]);
        for (int unsigned i = 0; i < len; i++)
            mb_bb_mem_read(name, addr + 64'(i), data[i]);
    endfunction

    function automatic void mb_bb_mem_write_block(
        string name, longint unsigned addr, int unsigned len, byte unsigned data[64]);
        for (int unsigned i = 0; i < len; i++)
            mb_bb_mem_write(name, addr + 64'(i), data[i]);
    endfunction
`endif
endmodule
