// Chip, host and watchdog. It ends when all channels have exited; `status` is then firmware's.
//
//   +clocks=N    timeout of the watchdog in clocks (default 2,000,000)
//   +idle        the timeout ends the run with success, for measurements
module testbench #(
    parameter int CORES = 1,
    parameter bit COMPRESSED = 0,
    // Ends the simulation at its own end.
    parameter bit ENDS = 1
) (
    input  bit clk,
    output bit over,
    output int status
);
    import vhost_pkg::*;

    bit                       resetn, written;
    bit [CORES-1:0]           trap, write;
    bit [CORES-1:0][31:0]     write_addr;
    int                       host_status;

    soc #(.CORES(CORES), .COMPRESSED(COMPRESSED)) soc (.*);
    monitor #(.CORES(CORES)) monitor (.*);
    host host (.clk, .written, .over, .status(host_status));
    yardstick yardstick (.clk);

    longint unsigned clocks, most_clocks;
    bit              idle;

    initial begin
        idle = $test$plusargs("idle") != 0;
        if ($value$plusargs("clocks=%d", most_clocks) == 0)
            most_clocks = 2_000_000;
    end

    always @(posedge clk) begin
        clocks <= clocks + 1;
        resetn <= clocks >= 8;
        if (over)
            finish(host_status);
        else if (resetn && trap != 0)
            stuck($sformatf("a core has trapped: %b", trap));
        else if (clocks == most_clocks && idle)
            finish(0);
        else if (clocks == most_clocks)
            stuck($sformatf("%0d clocks and no end", clocks));
    end

    function automatic void stuck(string why);
        $display("testbench: %s; what the channels wait for:", why);
        $write("%s", mb_status());
        status = 255;
        $finish;
    endfunction

    function automatic void finish(int with_status);
        status = with_status;
        if (ENDS)
            $finish;
    endfunction
endmodule
