// Testbench of the self-test with DPI: clock, host and methods.
`timescale 1ns/1ps

module testbench;
    import "DPI-C" context function int mb_init(
        input string mem_cfg, input string mailbox_cfg, input string fs_root);
    import "DPI-C" context function int mb_tick();
    import "DPI-C" context function void mb_shutdown();
    import "DPI-C" context function string mb_last_error();
    import "DPI-C" context function string mb_status();

    export "DPI-C" function mb_exit;
    export "DPI-C" function mb_print;
    export "DPI-C" function mb_report;
    export "DPI-C" function sv_registery_ch;
    export "DPI-C" function mb_sv_call;

    bit          clk;
    logic [31:0] checks;
    bit          over;
    int          served, clocks, exits, channels, code;
    int unsigned waited;

    always #5 clk = !clk;

    firmware firmware (.clk(clk), .checks(checks));

    initial
        if (mb_init("", "", "") != 0) begin
            $display("self-test: FAILED: mb_init: %s", mb_last_error());
            $finish;
        end

    always @(negedge clk) begin
        clocks = clocks + 1;
        if (!over) begin
            served = mb_tick();
            if (served < 0)
                stop($sformatf("FAILED: mb_tick: %s", mb_last_error()));
            else if (served == 0)
                judge();
            else if (clocks == 100000) begin
                $write("%s", mb_status());
                stop("FAILED: no end after 100000 clocks");
            end
        end
    end

    function automatic void judge();
        if (code != 0)
            stop($sformatf("FAILED: check %0d of firmware", code));
        else if (exits != 1 || channels != 1)
            stop($sformatf("FAILED: %0d exits of %0d channels", exits, channels));
        else
            stop($sformatf("%0d checks passed", checks));
    endfunction

    function automatic void stop(input string text);
        over = 1;
        $display("self-test: %s", text);
        mb_shutdown();
        $finish;
    endfunction

    function automatic void mb_exit(input int unsigned exit_code);
        exits = exits + 1;
        code = int'(exit_code);
    endfunction

    function automatic void sv_registery_ch(input string ch);
        channels = channels + 1;
    endfunction

    // As in Icarus Verilog, where the simulator prints the lines: recordings of both are compared.
    function automatic void mb_print(input string ch, input string text);
        $display("[%s] %s", ch, text);
    endfunction

    function automatic void mb_report(input int severity, input string id, input string msg);
        $display("report: severity %0d: %s: %s", severity, id, msg);
    endfunction

    // Polls a method once: `add` returns its sum at once, `wait` after a number of polls.
    function automatic longint unsigned mb_sv_call(
        input string ch, input string method, input int unsigned arg_len, input longint unsigned args[16],
        output int unsigned status);
        status = 0;
        if (method == "add")
            return args[0] + args[1];
        if (method != "wait") begin
            status = 2;
            return 0;
        end
        if (waited == 32'(args[0]))
            return args[0];
        waited = waited + 1;
        status = 1;
        return 0;
    endfunction
endmodule
