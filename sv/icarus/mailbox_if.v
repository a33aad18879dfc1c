// The clock of the mailbox in plain Verilog: the library is called from here, by the system tasks of vhost.vpi.
//
// The testbench drives `clk`, and `reset` where it has one: no tick while that is 1. A tick is a look at the mailboxes:
//
//   period     a tick every so many clocks (PERIOD); 0: only where there is a reason, which is that
//   notify     was called, or `written` was 1 at a clock: a monitor of the bus saw a write into a mailbox; or that
//              a method's call is pending, which is asked on every clock
//
// When all channels have exited, or the host has failed, `over` is 1, and `status` is firmware's first exit code other than 0,
// or 255. With FINISH the simulation ends then, with that status.
//
// Methods are served by processes of the testbench: see $mb_on_call in docs/icarus.md.
`timescale 1ns/1ps

module mailbox_if #(
    parameter PERIOD = 1,
    parameter FINISH = 0,
    // Empty: the files that MEM_CFG_FILE, MAILBOX_CFG_FILE and MAILBOX_FS_ROOT name.
    parameter MEM_CFG = "",
    parameter MAILBOX_CFG = "",
    parameter FS_ROOT = ""
) (
    input  wire        clk,
    input  wire        reset,
    input  wire        written,
    output reg         over,
    output reg  [31:0] status
);
    integer period;
    // Clocks since the last tick.
    integer clocks;
    // Something was written since the last tick, or before that: what was written when a clock ticked is there at the next.
    reg     notified, notified_last;
    // Without a period: the last tick has left a call without an answer.
    reg     pending;

    // What a clock does. The time of a clock goes by the variables that it reads, in Icarus Verilog: this is the only one of an idle
    // clock, and of a tick with nothing new.
    localparam NOTHING = 3'd0, TICK = 3'd1, KEEP = 3'd2, COUNT = 3'd3, NOTIFIED = 3'd4;

    wire       news = notified | notified_last | (written === 1);
    wire [2:0] step = over !== 0 || reset === 1 ? (written === 1 ? KEEP : NOTHING)
        : news | pending ? NOTIFIED : period == 1 ? TICK : period != 0 ? COUNT : NOTHING;

    // In the middle of time 0, behind the `initial` blocks that name methods and memories.
    initial begin
        period = PERIOD;
        clocks = 0;
        over = 0;
        status = 0;
        notified_last = 0;
        pending = 0;
        notify;
        #0;
        if ($mb_init(MEM_CFG, MAILBOX_CFG, FS_ROOT) != 0)
            end_service(255);
    end

    // Something is written to a mailbox; at the next clock it is there.
    task notify;
        notified = 1;
    endtask

    // Without a period from now on, a call may be pending.
    always @(period)
        notify;

    always @(posedge clk)
        case (step)
            NOTHING: ;
            TICK:
                // As task `tick`, whose call takes longer than this.
                case ($mb_tick)
                    -1: end_service(255);
                    0: end_service($mb_exit_code);
                endcase
            KEEP: notify;
            COUNT: begin
                clocks = clocks + 1;
                // Not just when it is equal: the testbench may have shortened the period.
                if (clocks >= period) begin
                    clocks = 0;
                    tick;
                end
            end
            NOTIFIED: begin
                notified_last = notified | (written === 1);
                notified = 0;
                if (notified_last)
                    $mb_notify;
                clocks = 0;
                tick;
                pending = 0;
                if (period == 0)
                    pending = $mb_pending_calls != 0;
            end
        endcase

    task tick;
        case ($mb_tick)
            -1: end_service(255);
            0: end_service($mb_exit_code);
        endcase
    endtask

    task end_service;
        input [31:0] with_status;
        begin
            over = 1;
            status = with_status;
            if (FINISH)
                $mb_quit(with_status);
        end
    endtask
endmodule
