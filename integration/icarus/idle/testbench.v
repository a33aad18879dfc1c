// The chip for a number of clocks, for counts of an idle host's instructions. With TICKS it has
// mailbox_if, with a tick every TICKS clocks (0: on notification). Without TICKS, the library is
// not called after $mb_init.
//
//   +clocks=N    length of the run
`timescale 1ns/1ps

module testbench;
    reg     clk, resetn;
    integer clocks;
    wire    trap, written;

    initial begin
        clk = 0;
        resetn = 0;
        if (!$value$plusargs("clocks=%d", clocks))
            clocks = 1000;
        repeat (8) @(posedge clk);
        resetn <= 1;
        repeat (clocks) @(posedge clk);
        $finish;
    end

    always #5 clk = !clk;

    chip chip (.clk(clk), .resetn(resetn), .trap(trap), .written(written));

    initial $mb_bb_mem("scratch", chip.scratch);

`ifdef TICKS
    mailbox_if #(.PERIOD(`TICKS)) mailbox (
        .clk(clk), .reset(!resetn), .written(written), .over(), .status()
    );
`else
    integer failed;
    initial begin
        #0;
        failed = $mb_init;
    end
`endif
endmodule
