// Chip with switches and lights for cocotb, which drives the clock and the switches. Its host is
// vhost, with methods in Python.
//
//   0x0000_0000    RAM: 64 KiB
//   0x2000_0000    a word to read, the switches; to write, the lights
module top (
    input  bit       clk,
    input  bit [7:0] switches,
    output bit [7:0] lights,
    // Firmware has exited with this code; 255 if the host has failed.
    output bit       over,
    output int       code
);
    // ---- The chip ----

    bit        resetn, trap;
    bit        valid, ready, ram_ready, port_ready;
    bit [31:0] addr, wdata, rdata, ram_rdata, port_rdata;
    bit [3:0]  wstrb;

    core cpu (.*);

    ram ram (
        .clk, .valid(valid && addr[31:28] == 4'h0), .ready(ram_ready),
        .addr, .wdata, .wstrb, .rdata(ram_rdata)
    );

    always @(posedge clk) begin
        port_ready <= valid && addr[31:28] == 4'h2 && !port_ready;
        port_rdata <= {24'b0, switches};
        if (valid && addr[31:28] == 4'h2 && wstrb[0])
            lights <= wdata[7:0];
    end

    assign ready = ram_ready || port_ready;
    assign rdata = port_ready ? port_rdata : ram_rdata;

    // ---- Host ----

    import "DPI-C" context function int mb_init(
        input string mem_cfg, input string mailbox_cfg, input string fs_root);
    import "DPI-C" context function int mb_tick();
    import "DPI-C" context function void mb_shutdown();
    export "DPI-C" function mb_exit;
    export "DPI-C" function mb_report;
    export "DPI-C" function mb_sv_call;

    int unsigned clocks;

    initial
        if (mb_init("", "", "") != 0)
            stop(255);

    always @(posedge clk) begin
        clocks <= clocks + 1;
        resetn <= clocks >= 8;
        if (!over && mb_tick() < 0)
            stop(255);
    end

    final mb_shutdown();

    function automatic void stop(int with_code);
        over = 1;
        code = with_code;
    endfunction

    function automatic void mb_exit(int unsigned with_code);
        stop(int'(with_code));
    endfunction

    function automatic void mb_report(int severity, string id, string msg);
        $display("report %0d: %s: %s", severity, id, msg);
    endfunction

    // Methods that Python does not have. Status 0: the result is valid; 2: no such method.
    function automatic longint unsigned mb_sv_call(
        string ch, string method, int unsigned arg_len, longint unsigned args[16], output int unsigned status);
        status = method == "twice" ? 0 : 2;
        return 2 * args[0];
    endfunction
endmodule
