// VexRiscv with caches, with the two memories of soc.sv:
//
//   0x0000_0000   RAM, with the reset address; a port for each of the two buses
//   0x1000_0000   scratch memory, on the data bus
//   0x8000_0000   RAM again, uncached
//
//   +reset=ADDRESS  another reset address, in hexadecimal
//
// The data cache is write-through, with lines of 32 bytes. Instruction 0x500F drops all lines.
module soc #(
    parameter int CORES = 1,
    parameter bit COMPRESSED = 0
) (
    input  bit               clk,
    input  bit               resetn,
    output bit [CORES-1:0]   trap,
    // The core's stores, for monitors of the bus. A store takes place at the clock edge where
    // `write` is set.
    output bit [CORES-1:0]   write,
    output bit [CORES-1:0][31:0] write_addr
);
    if (CORES != 1 || COMPRESSED)
        $error("VexRiscv is one core, without compressed instructions");

    for (genvar i = 0; i < 1; i++) begin : core
        // Wishbone: an access takes place while `stb` and `ack` are set. Addresses count words.
        logic        fetch_cyc, fetch_stb, fetch_ack;
        logic [29:0] fetch_addr;
        logic [31:0] fetch_data;
        logic        cyc, stb, we, ack, ram_ack, scratch_ack, stray;
        logic [29:0] addr;
        logic [31:0] wdata, rdata, ram_rdata, scratch_rdata;
        logic [3:0]  sel;

        logic [31:0] reset_vector;

        initial
            if ($value$plusargs("reset=%h", reset_vector) == 0)
                reset_vector = 0;

        VexRiscv cpu (
            .clk, .reset(!resetn), .externalResetVector(reset_vector),
            .timerInterrupt(1'b0), .softwareInterrupt(1'b0), .externalInterruptArray(32'b0),
            .iBusWishbone_CYC(fetch_cyc), .iBusWishbone_STB(fetch_stb), .iBusWishbone_ACK(fetch_ack), .iBusWishbone_WE(),
            .iBusWishbone_ADR(fetch_addr), .iBusWishbone_DAT_MISO(fetch_data), .iBusWishbone_DAT_MOSI(), .iBusWishbone_SEL(),
            .iBusWishbone_ERR(1'b0), .iBusWishbone_CTI(), .iBusWishbone_BTE(),
            .dBusWishbone_CYC(cyc), .dBusWishbone_STB(stb), .dBusWishbone_ACK(ack), .dBusWishbone_WE(we),
            .dBusWishbone_ADR(addr), .dBusWishbone_DAT_MISO(rdata), .dBusWishbone_DAT_MOSI(wdata), .dBusWishbone_SEL(sel),
            .dBusWishbone_ERR(1'b0), .dBusWishbone_CTI(), .dBusWishbone_BTE()
        );

        bit [31:0] fetch_rdata, ram_word, scratch_word;
        bit        fetch_ready, ram_ready, scratch_ready;

        ram code (
            .clk, .valid(fetch_cyc && fetch_stb), .ready(fetch_ready),
            .addr({fetch_addr, 2'b0}), .wdata(32'b0), .wstrb(4'b0), .rdata(fetch_rdata)
        );
        ram ram (
            .clk, .valid(cyc && stb && addr[28:26] == 3'h0), .ready(ram_ready),
            .addr({addr, 2'b0}), .wdata, .wstrb(we ? sel : 4'b0), .rdata(ram_word)
        );
        if (i == 0) begin : private_memory
            scratch scratch (
                .clk, .valid(cyc && stb && addr[29:26] == 4'h1), .ready(scratch_ready),
                .addr({addr, 2'b0}), .wdata, .wstrb(we ? sel : 4'b0), .rdata(scratch_word)
            );
        end

        assign fetch_ack = fetch_ready;
        assign fetch_data = fetch_rdata;
        assign ram_ack = ram_ready;
        assign ram_rdata = ram_word;
        assign scratch_ack = scratch_ready;
        assign scratch_rdata = scratch_word;
        assign ack = ram_ack || scratch_ack;
        assign rdata = scratch_ack ? scratch_rdata : ram_rdata;

        // Other addresses are unmapped. Loads are not speculative, so the program has an error.
        assign stray = cyc && stb && addr[28:26] != 0 && addr[29:26] != 4'h1;
        always_ff @(posedge clk)
            trap[i] <= resetn && (trap[i] || stray);

        assign write[i] = cyc && stb && ack && we;
        assign write_addr[i] = {addr, 2'b0};
    end
endmodule
