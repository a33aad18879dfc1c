// The chip: CORES PicoRV32 cores, optionally with COMPRESSED instructions, that share one RAM, and
// a scratch memory of the first core.
//
//   0x0000_0000 + 0x1_0000 * core   RAM: 64 KiB of the core, with its reset address
//   0x1000_0000                     scratch memory
//
// An access to an unmapped address stops the core; the testbench's watchdog reports it.
module soc #(
    parameter int CORES = 1,
    parameter bit COMPRESSED = 0
) (
    input  bit               clk,
    input  bit               resetn,
    output bit [CORES-1:0]   trap,
    // The cores' stores, for monitors of the bus. A store takes place at the clock edge where
    // `write` is set.
    output bit [CORES-1:0]   write,
    output bit [CORES-1:0][31:0] write_addr
);
    for (genvar i = 0; i < CORES; i++) begin : core
        bit        valid, ready, ram_ready, scratch_ready;
        bit [31:0] addr, wdata, rdata, ram_rdata, scratch_rdata;
        bit [3:0]  wstrb;

        core #(.START(32'h1_0000 * i), .COMPRESSED(COMPRESSED)) cpu (.*, .trap(trap[i]));

        ram ram (
            .clk, .valid(valid && addr[31:28] == 4'h0), .ready(ram_ready),
            .addr, .wdata, .wstrb, .rdata(ram_rdata)
        );

        if (i == 0) begin : private_memory
            scratch scratch (
                .clk, .valid(valid && addr[31:28] == 4'h1), .ready(scratch_ready),
                .addr, .wdata, .wstrb, .rdata(scratch_rdata)
            );
        end else begin : no_private_memory
            assign scratch_ready = 0;
            assign scratch_rdata = 0;
        end

        assign ready = ram_ready || scratch_ready;
        assign rdata = scratch_ready ? scratch_rdata : ram_rdata;

        assign write[i] = valid && ready && wstrb != 0;
        assign write_addr[i] = addr;
    end
endmodule
