// Three PicoRV32 cores, each with a RAM in an HDL array. The first core also has a window to a
// memory of the testbench.
//
//   0x0000_0000 + 0x1_0000 * core   the core's RAM: 64 KiB, with its reset address
//   0x1000_0000                     the window
module cluster #(
    parameter int CORES = 3
) (
    input  bit                   clk,
    input  bit                   resetn,
    output bit [CORES-1:0]       trap,
    // The cores' stores, for monitors of the bus. A store takes place at the clock edge where
    // `write` is set.
    output bit [CORES-1:0]       write,
    output bit [CORES-1:0][31:0] write_addr,
    output bit [CORES-1:0][31:0] write_data,
    output bit [CORES-1:0][3:0]  write_strobes,
    // The window: an access is requested while `window_valid` is set, and completed by
    // `window_ready`.
    output bit                   window_valid,
    output bit [31:0]            window_addr,
    output bit [31:0]            window_wdata,
    output bit [3:0]             window_wstrb,
    input  bit                   window_ready,
    input  bit [31:0]            window_rdata
);
    for (genvar i = 0; i < CORES; i++) begin : core
        bit        valid, ready, ram_ready, outside_ready;
        bit [31:0] addr, wdata, rdata, ram_rdata, outside_rdata;
        bit [3:0]  wstrb;

        core #(.START(32'h1_0000 * i)) cpu (.*, .trap(trap[i]));

        bit [31:0] ram[16384] /*verilator public_flat_rw*/;

        // Not always_ff: the host writes the words, too.
        always @(posedge clk) begin
            ram_ready <= valid && addr[31:16] == 16'(i) && !ram_ready;
            ram_rdata <= ram[addr[15:2]];
            for (int b = 0; b < 4; b++)
                if (valid && addr[31:16] == 16'(i) && !ram_ready && wstrb[b])
                    ram[addr[15:2]][8*b+:8] <= wdata[8*b+:8];
        end

        if (i == 0) begin : with_window
            assign window_valid = valid && addr[31:28] == 4'h1;
            assign window_addr = addr;
            assign window_wdata = wdata;
            assign window_wstrb = wstrb;
            assign outside_ready = window_ready;
            assign outside_rdata = window_rdata;
        end else begin : without_window
            assign outside_ready = 0;
            assign outside_rdata = 0;
        end

        assign ready = ram_ready || outside_ready;
        assign rdata = outside_ready ? outside_rdata : ram_rdata;

        assign write[i] = valid && !ready && wstrb != 0;
        assign write_addr[i] = addr;
        assign write_data[i] = wdata;
        assign write_strobes[i] = wstrb;
    end
endmodule
