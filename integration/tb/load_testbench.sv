// Loads an ELF image into the same array by either backend; load_cost.cpp measures it.
//
//   +image=FILE    the image
module testbench (
    input  bit clk,
    output int status
);
    import memory_map::*;
    import vhost_pkg::*;

    import "DPI-C" context function int mb_init(
        input string mem_cfg, input string mailbox_cfg, input string fs_root);
    import "DPI-C" context function int measure_loads(input string image);

    export "DPI-C" function mb_report;

    bit                    ready, kept;
    bit [8*MOST_BYTES-1:0] out;

    memories memories (.clk, .valid(1'b0), .ready, .addr(0), .strobes(0), .data(0), .out, .kept);

    initial begin
        string image;
        status = 255;
        if ($value$plusargs("image=%s", image) != 0 && mb_init("", "", "") == 0)
            status = measure_loads(image);
        $finish;
    end

    final mb_shutdown();

    function automatic void mb_report(int severity, string id, string msg);
        $display("%s: %s (%0d)", id, msg, severity);
    endfunction
endmodule
