// Memories of every geometry on one bus, with byte strobes. memory_map.sv has the address map. The
// mapping of addresses to array words follows docs/configuration.md, independent of the host's
// code.
//
// An access lasts from `valid` to `ready`, and is to one word of one memory. `addr` is the address
// of its first byte. Words have the memory's width, and use the lower bytes of the bus.
module memories
    import memory_map::*;
(
    input  bit                    clk,
    input  bit                    valid,
    output bit                    ready,
    input  bit [31:0]             addr,
    input  bit [MOST_BYTES-1:0]   strobes,
    input  bit [8*MOST_BYTES-1:0] data,
    output bit [8*MOST_BYTES-1:0] out,
    // True if the bits above the data of the read word are as RTL wrote them.
    output bit                    kept
);
    bit [31:0]             offset[COUNT], word[COUNT];
    bit [MOST_BYTES-1:0]   on[COUNT];
    bit [8*MOST_BYTES-1:0] outs[COUNT];
    bit [COUNT-1:0]        is_at, kepts;
    int                    at;

    assign at = memory_at(addr);

    for (genvar i = 0; i < COUNT; i++) begin : decoder
        assign is_at[i] = valid && at == i;
        assign offset[i] = is_at[i] ? addr - BASES[i] : 0;
        assign word[i] = offset[i] / BYTES[i];
        assign on[i] = is_at[i] && !ready ? strobes : 0;
    end

    assign out = outs[at];
    assign kept = kepts[at];

    always_ff @(posedge clk)
        ready <= valid && !ready;

    // ---- Not in HDL for the host: a ROM that it has a copy of, a C model, a black box ----

    assign {kepts[ROM], kepts[RAM], kepts[BOX]} = '1;

    logic [31:0] rom[256];
    initial $readmemh("integration/designs/rom.hex", rom);
    always_ff @(posedge clk)
        outs[ROM][31:0] <= rom[8'(word[ROM])];

    ram ram (.clk, .valid(is_at[RAM]), .ready(), .addr, .wdata(data[31:0]), .wstrb(strobes[3:0]), .rdata(outs[RAM][31:0]));

    scratch box (
        .clk, .valid(is_at[BOX]), .ready(), .addr(offset[BOX]), .wdata(data[31:0]), .wstrb(strobes[3:0]),
        .rdata(outs[BOX][31:0]));

    // ---- Direct ----

    typedef logic [31:0] direct32_t[16384];
    sram #(.BYTES(4), .array_t(direct32_t)) direct32 (
        .clk, .word(word[DIRECT32]), .strobes(on[DIRECT32][3:0]), .data(data[31:0]), .out(outs[DIRECT32][31:0]),
        .kept(kepts[DIRECT32]));

    typedef logic [23:0] direct24_t[500];
    sram #(.BYTES(3), .array_t(direct24_t)) direct24 (
        .clk, .word(word[DIRECT24]), .strobes(on[DIRECT24][2:0]), .data(data[23:0]), .out(outs[DIRECT24][23:0]),
        .kept(kepts[DIRECT24]));

    typedef logic [71:0] direct72_t[100];
    sram #(.BYTES(9), .array_t(direct72_t)) direct72 (
        .clk, .word(word[DIRECT72]), .strobes(on[DIRECT72][8:0]), .data(data[71:0]), .out(outs[DIRECT72][71:0]),
        .kept(kepts[DIRECT72]));

    typedef logic [7:0] direct8_t[300];
    sram #(.BYTES(1), .array_t(direct8_t)) direct8 (
        .clk, .word(word[DIRECT8]), .strobes(on[DIRECT8][0]), .data(data[7:0]), .out(outs[DIRECT8][7:0]),
        .kept(kepts[DIRECT8]));

    typedef logic [2047:0] direct2048_t[16];
    sram #(.BYTES(256), .array_t(direct2048_t)) direct2048 (
        .clk, .word(word[DIRECT2048]), .strobes(on[DIRECT2048]), .data, .out(outs[DIRECT2048]), .kept(kepts[DIRECT2048]));

    typedef logic [63:0] rows64_t[16][8];
    sram_rows #(.BYTES(8), .array_t(rows64_t)) rows64 (
        .clk, .word(word[ROWS64]), .strobes(on[ROWS64][7:0]), .data(data[63:0]), .out(outs[ROWS64][63:0]),
        .kept(kepts[ROWS64]));

    typedef logic [15:0] descending16_t[511:0];
    sram #(.BYTES(2), .array_t(descending16_t)) descending16 (
        .clk, .word(word[DESCENDING16]), .strobes(on[DESCENDING16][1:0]), .data(data[15:0]), .out(outs[DESCENDING16][15:0]),
        .kept(kepts[DESCENDING16]));

    typedef logic [39:0] descending_rows40_t[11:0][9:0];
    sram_rows #(.BYTES(5), .array_t(descending_rows40_t)) descending_rows40 (
        .clk, .word(word[DESCENDING_ROWS40]), .strobes(on[DESCENDING_ROWS40][4:0]), .data(data[39:0]),
        .out(outs[DESCENDING_ROWS40][39:0]), .kept(kepts[DESCENDING_ROWS40]));

    typedef logic [3:0][7:0] packed32_t[128];
    sram #(.BYTES(4), .array_t(packed32_t)) packed32 (
        .clk, .word(word[PACKED32]), .strobes(on[PACKED32][3:0]), .data(data[31:0]), .out(outs[PACKED32][31:0]),
        .kept(kepts[PACKED32]));

    // The backend of this memory is `vpi` in every case.
    typedef bit [15:0] other_t[128];
    sram #(.BYTES(2), .array_t(other_t)) other (
        .clk, .word(word[OTHER]), .strobes(on[OTHER][1:0]), .data(data[15:0]), .out(outs[OTHER][15:0]), .kept(kepts[OTHER]));

    // Hides the beginning of `direct32`.
    typedef logic [31:0] front_t[64];
    sram #(.BYTES(4), .array_t(front_t)) front (
        .clk, .word(word[FRONT]), .strobes(on[FRONT][3:0]), .data(data[31:0]), .out(outs[FRONT][31:0]), .kept(kepts[FRONT]));

    // ---- Words with bits above the data, in whole bytes or not ----

    typedef logic [38:0] ecc32_t[128];
    sram #(.BYTES(4), .array_t(ecc32_t)) ecc32 (
        .clk, .word(word[ECC32]), .strobes(on[ECC32][3:0]), .data(data[31:0]), .out(outs[ECC32][31:0]), .kept(kepts[ECC32]));

    typedef logic [71:0] parity64_t[64];
    sram #(.BYTES(8), .array_t(parity64_t)) parity64 (
        .clk, .word(word[PARITY64]), .strobes(on[PARITY64][7:0]), .data(data[63:0]), .out(outs[PARITY64][63:0]),
        .kept(kepts[PARITY64]));

    typedef logic [1099:0] above1000_t[8];
    sram #(.BYTES(125), .array_t(above1000_t)) above1000 (
        .clk, .word(word[ABOVE1000]), .strobes(on[ABOVE1000][124:0]), .data(data[999:0]), .out(outs[ABOVE1000][999:0]),
        .kept(kepts[ABOVE1000]));

    // ---- Indices that don't begin at 0, also of rows ----

    typedef logic [31:0] from16_t[16:31];
    sram #(.BYTES(4), .array_t(from16_t)) from16 (
        .clk, .word(word[FROM16]), .strobes(on[FROM16][3:0]), .data(data[31:0]), .out(outs[FROM16][31:0]),
        .kept(kepts[FROM16]));

    typedef logic [31:0] down_to16_t[31:16];
    sram #(.BYTES(4), .array_t(down_to16_t)) down_to16 (
        .clk, .word(word[DOWN_TO16]), .strobes(on[DOWN_TO16][3:0]), .data(data[31:0]), .out(outs[DOWN_TO16][31:0]),
        .kept(kepts[DOWN_TO16]));

    typedef logic [15:0] from_below0_t[-8:7];
    sram #(.BYTES(2), .array_t(from_below0_t)) from_below0 (
        .clk, .word(word[FROM_BELOW0]), .strobes(on[FROM_BELOW0][1:0]), .data(data[15:0]), .out(outs[FROM_BELOW0][15:0]),
        .kept(kepts[FROM_BELOW0]));

    typedef logic [38:0] ecc_down_below0_t[7:-8];
    sram #(.BYTES(4), .array_t(ecc_down_below0_t)) ecc_down_below0 (
        .clk, .word(word[ECC_DOWN_BELOW0]), .strobes(on[ECC_DOWN_BELOW0][3:0]), .data(data[31:0]),
        .out(outs[ECC_DOWN_BELOW0][31:0]), .kept(kepts[ECC_DOWN_BELOW0]));

    typedef logic [63:0] rows_from16_t[16:31][-8:7];
    sram_rows #(.BYTES(8), .array_t(rows_from16_t)) rows_from16 (
        .clk, .word(word[ROWS_FROM16]), .strobes(on[ROWS_FROM16][7:0]), .data(data[63:0]), .out(outs[ROWS_FROM16][63:0]),
        .kept(kepts[ROWS_FROM16]));

    typedef logic [26:0] ecc_rows_down_t[7:-8][27:16];
    sram_rows #(.BYTES(3), .array_t(ecc_rows_down_t)) ecc_rows_down (
        .clk, .word(word[ECC_ROWS_DOWN]), .strobes(on[ECC_ROWS_DOWN][2:0]), .data(data[23:0]), .out(outs[ECC_ROWS_DOWN][23:0]),
        .kept(kepts[ECC_ROWS_DOWN]));

    // ---- Banked ----

    banked #(.BYTES(4), .BANK_BYTES(4), .BANK_DEPTH(64), .ROWS(4)) vertical (
        .clk, .offset(offset[VERTICAL]), .strobes(on[VERTICAL][3:0]), .data(data[31:0]), .out(outs[VERTICAL][31:0]),
        .kept(kepts[VERTICAL]));

    banked #(.BYTES(16), .BANK_BYTES(4), .BANK_DEPTH(64), .ROWS(1)) horizontal (
        .clk, .offset(offset[HORIZONTAL]), .strobes(on[HORIZONTAL][15:0]), .data(data[127:0]), .out(outs[HORIZONTAL][127:0]),
        .kept(kepts[HORIZONTAL]));

    banked #(.BYTES(16), .BANK_BYTES(8), .BANK_DEPTH(64), .ROWS(4), .BANK_ROWS(8)) square (
        .clk, .offset(offset[SQUARE]), .strobes(on[SQUARE][15:0]), .data(data[127:0]), .out(outs[SQUARE][127:0]),
        .kept(kepts[SQUARE]));

    banked #(.BYTES(9), .BANK_BYTES(3), .BANK_DEPTH(50), .BITS_ABOVE(3), .ROWS(2)) square72 (
        .clk, .offset(offset[SQUARE72]), .strobes(on[SQUARE72][8:0]), .data(data[71:0]), .out(outs[SQUARE72][71:0]),
        .kept(kepts[SQUARE72]));

    // ---- Not on the bus ----

    sram_sealed sealed (.clk);
endmodule
