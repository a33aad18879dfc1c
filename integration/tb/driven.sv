// A memory, and the functions that the host calls, for C++ programs that drive the model
// themselves: tb/driven.cpp. With +tick the model calls mb_tick, with +init also mb_init; otherwise
// the program does.
package tb;
    export "DPI-C" function mb_report;
    export "DPI-C" function mb_print;
    export "DPI-C" function mb_exited;
    import "DPI-C" context function int mb_init(input string mem_cfg, input string mailbox_cfg, input string fs_root);
    import "DPI-C" context function int mb_tick();

    function automatic void mb_report(input int severity, input string id, input string msg);
        $display("report %0d: %s: %s", severity, id, msg);
    endfunction

    function automatic void mb_print(input string ch, input string text);
        $display("[%s] %s", ch, text);
    endfunction

    // Called by the host, inside of one of its calls.
    function automatic void mb_exited(input string ch, input int unsigned code);
        $display("%s has exited with %0d", ch, code);
        $finish;
    endfunction
endpackage

module top (
    input bit clk
);
    logic [31:0] mem[8192] /*verilator public_flat_rw*/;

    initial if ($test$plusargs("init")) void'(tb::mb_init("", "", ""));
    always @(posedge clk) if ($test$plusargs("tick")) void'(tb::mb_tick());
endmodule
