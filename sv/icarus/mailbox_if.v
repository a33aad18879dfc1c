// Interface of the mailbox in plain Verilog: it calls the library by the system tasks of vhost.vpi.
//
// The testbench drives `clk`, and `reset` if it has one: no tick while `reset` is 1. A tick polls
// the mailboxes:
//
//   period     a tick every `period` clocks (parameter PERIOD); 0: only on notification or with a
//              pending call
//   notify     notifies the host of a write to a mailbox: the next clock has a tick
//   written    the same, while it is 1 at a clock edge: for a monitor of the bus
//
// `over` is 1 when all channels have exited, or the host has failed. `status` is then firmware's
// first exit code other than 0, or 255. With FINISH the simulation ends then, with that status.
//
// Processes of the testbench serve methods: see $mb_on_call in docs/icarus.md.
`timescale 1ns/1ps

module mailbox_if #(
    parameter PERIOD = 1,
    parameter FINISH = 0,
    // Empty: the files named by MEM_CFG_FILE, MAILBOX_CFG_FILE and MAILBOX_FS_ROOT.
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
    // A notification since the last tick, or in the tick before it: a value written at a clock edge
    // is visible at the next one.
    reg     notified, notified_last;
    // Without a period: a method's call is pending after the last tick.
    reg     pending;

    // Action of a clock edge. In Icarus Verilog the cost of a clock depends on the number of
    // variables that it reads: an idle clock, and a tick without news, read only this one.
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

    // Notifies the host of a write to a mailbox, which is visible at the next clock.
    task notify;
        notified = 1;
    endtask

    // If the period becomes 0, a call may be pending.
    always @(period)
        notify;

    always @(posedge clk)
        case (step)
            NOTHING: ;
            TICK:
                // Same as task `tick`, whose call takes longer.
                case ($mb_tick)
                    -1: end_service(255);
                    0: end_service($mb_exit_code);
                endcase
            KEEP: notify;
            COUNT: begin
                clocks = clocks + 1;
                // Not only if it is equal: the testbench may have shortened the period.
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
