// Testbench for Icarus Verilog, in plain Verilog: the chip, the host behind mailbox_if, and the
// methods of firmware.
//
//   +tick=N      a tick every N clocks (default 1); 0: after writes into the mailbox, and while
//   calls are pending +clocks=N    timeout of the watchdog in clocks (default 2,000,000) +wrong
//   wrong calls of the testbench, each of which is reported +checkpoint=FILE  saves a checkpoint
//   when firmware has suspended itself into RAM; restores it
//
// With SYSTEM it has a system of its own, named after the instance, and leaves $finish to the
// module around it: pair.v.
`timescale 1ns/1ps

module testbench #(
    parameter SYSTEM = 0
) (
    output wire over
);
    reg clk, resetn;

    initial begin
        clk = 0;
        resetn = 0;
        repeat (8) @(posedge clk);
        resetn <= 1;
    end

    always #5 clk = !clk;

    wire trap, written;

    chip chip (.clk(clk), .resetn(resetn), .trap(trap), .written(written));

    // ---- The host ----

    wire [31:0] status;

    mailbox_if #(.FINISH(!SYSTEM)) mailbox (
        .clk(clk), .reset(!resetn), .written(written), .over(over), .status(status)
    );

    integer clocks, most_clocks;
    // The testbench has wrong calls; number of the last call that was served.
    reg     wrong;
    integer last;

    initial begin
        clocks = 0;
        if (SYSTEM)
            if ($mb_system_of_scope != 0)
                $mb_quit(255);
        $mb_bb_mem("scratch", chip.scratch);
        $mb_on_call("*", called);
        $mb_on_call("wait", waits);
        last = 0;
        wrong = $test$plusargs("wrong");
        if (wrong) begin
            $mb_bb_mem("scrach", chip.scratch);
            $mb_on_call("", waits);
        end
        if (!$value$plusargs("clocks=%d", most_clocks))
            most_clocks = 2000000;
        #1;
        if (!$value$plusargs("tick=%d", mailbox.period))
            mailbox.period = 1;
        if (wrong) begin
            $mb_answer(77, 1);
            $mb_get_space(channel, space);
        end
    end

`ifdef WRONG_ARGUMENTS
    // Rejected before the simulation begins.
    initial $mb_backdoor_read_u8("cpu0", 5);
`endif

    always @(posedge clk) begin
        clocks <= clocks + 1;
        if (trap === 1 || clocks == most_clocks) begin
            $display("testbench: trap %b in clock %0d; what the channels wait for:", trap, clocks);
            $mb_status;
            $mb_quit(255);
        end
    end

    // ---- Methods that firmware calls ----

    event   called;
    integer call, i;
    reg [63:0]    sum;
    reg [8*32-1:0] channel, space, name;
    reg [7:0]     there[0:31], back[0:31];
    reg [7:0]     u8;
    reg [15:0]    u16;
    reg [31:0]    u32;
    reg [63:0]    u64, extended;
    integer       minus_5;

    always @(called) begin
        call = $mb_next_call;
        while (call != 0) begin
            serve;
            call = $mb_next_call;
        end
    end

    task serve;
        begin
            // The answer of the last call has reached firmware.
            if (wrong && last != 0)
                $mb_fail(last);
            last = call;
            $mb_call_channel(call, channel);
            $mb_get_space(channel, space);
            if ($mb_call_is(call, "add")) begin
                sum = 0;
                for (i = 0; i < $mb_call_args(call); i = i + 1)
                    sum = sum + $mb_call_arg(call, i);
                $mb_answer(call, sum);
                if (wrong)
                    $mb_answer(call, 0);
            end else if ($mb_call_is(call, "clocks"))
                $mb_answer(call, clocks);
            else if ($mb_call_is(call, "greet"))
                greet;
            else if ($mb_call_is(call, "increment"))
                increment;
            else if ($mb_call_is(call, "reverse"))
                reverse;
            else if ($mb_call_is(call, "watch")) begin
                state = $mb_call_arg(call, 0) >> 2;
                $mb_answer(call);
            end
            else
                $mb_no_method(call);
        end
    endtask

    // Reads the string at an address by backdoor, writes it back in capitals, and returns its
    // length.
    task greet;
        begin
            $mb_backdoor_read_string(space, $mb_call_arg(call, 0), name);
            u32 = 0;
            for (i = 0; i < 32; i = i + 1)
                if (name[8*i +: 8] != 0) begin
                    u32 = u32 + 1;
                    if (name[8*i +: 8] >= "a" && name[8*i +: 8] <= "z")
                        name[8*i +: 8] = name[8*i +: 8] - 32;
                end
            $mb_backdoor_write_string(space, $mb_call_arg(call, 0), name);
            $mb_answer(call, u32);
        end
    endtask

    // Adds one to the word of this many bytes at an address.
    task increment;
        begin
            case ($mb_call_arg(call, 1))
                1: begin
                    $mb_backdoor_read_u8(space, $mb_call_arg(call, 0), u8);
                    $mb_backdoor_write_u8(space, $mb_call_arg(call, 0), u8 + 8'd1);
                end
                2: begin
                    $mb_backdoor_read_u16(space, $mb_call_arg(call, 0), u16);
                    $mb_backdoor_write_u16(space, $mb_call_arg(call, 0), u16 + 16'd1);
                end
                4: begin
                    $mb_backdoor_read_u32(space, $mb_call_arg(call, 0), u32);
                    $mb_backdoor_write_u32(space, $mb_call_arg(call, 0), u32 + 32'd1);
                end
                default: begin
                    $mb_backdoor_read_u64(space, $mb_call_arg(call, 0), u64);
                    // Fails: there is no room for the name.
                    $mb_call_channel(call, u8);
                    // Signed data is sign-extended.
                    minus_5 = -5;
                    $mb_backdoor_write_u64(space, $mb_call_arg(call, 0), minus_5);
                    $mb_backdoor_read_u64(space, $mb_call_arg(call, 0), extended);
                    if (extended !== -64'd5)
                        $mb_quit(254);
                    $mb_backdoor_write_u64(space, $mb_call_arg(call, 0), u64 + 64'd1);
                end
            endcase
            $mb_answer(call);
        end
    endtask

    // Reverses the 32 bytes at an address. Returns the number of bytes moved.
    task reverse;
        begin
            u32 = $mb_backdoor_read_block(space, $mb_call_arg(call, 0), there);
            for (i = 0; i < 32; i = i + 1)
                back[31 - i] = there[i];
            u32 = u32 + $mb_backdoor_write_block(space, $mb_call_arg(call, 0), back);
            $mb_answer(call, u32);
        end
    endtask

    // `wait` returns after the number of clocks in its argument, which is its result. A separate
    // process, so that other calls are served meanwhile.
    event   waits;
    integer waiting;
    reg [63:0] wait_for;

    always @(waits) begin
        waiting = $mb_next_call("wait");
        while (waiting != 0) begin
            wait_for = $mb_call_arg(waiting, 0);
            repeat (wait_for) @(posedge clk);
            $mb_answer(waiting, wait_for);
            waiting = $mb_next_call("wait");
        end
    end

    // ---- A checkpoint: firmware/suspend.c ----

    // Index of the word with firmware's progress.
    integer        state, word;
    reg [8*256-1:0] file;
    reg [31:0]     saved[0:32767];

    localparam RUNS = 0, SUSPENDED = 1, LOST = 2;

    initial begin
        state = 0;
        if ($value$plusargs("checkpoint=%s", file)) begin
            while (state == 0 || chip.ram[state] !== SUSPENDED)
                @(negedge clk);
            if ($mb_save(file) != 0)
                $mb_quit(255);
            for (word = 0; word < 32768; word = word + 1)
                saved[word] = chip.ram[word];
            chip.ram[state] = RUNS;
            while (chip.ram[state] !== LOST)
                @(negedge clk);
            resetn = 0;
            repeat (8) @(negedge clk);
            for (word = 0; word < 32768; word = word + 1)
                chip.ram[word] = saved[word];
            if ($mb_restore(file) != 0)
                $mb_quit(255);
            $display("testbench: restored");
            resetn = 1;
        end
    end
endmodule
