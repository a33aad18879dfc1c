// Memories of every geometry on one bus, with `strobes` for its bytes. What is where, memory_map.sv says; how an address
// becomes a word of an array is written here as docs/configuration.md has it, and knows nothing of the host.
//
// An access takes from `valid` to `ready`. It is to one word of one memory, whose first byte is at `addr`; words are as wide
// as the memory's, and take the lower bytes of the bus.
module memories
    import memory_map::*;
(
    input  bit                    clk,
    input  bit                    valid,
    output bit                    ready,
    input  bit [31:0]             addr,
    input  bit [MOST_BYTES-1:0]   strobes,
    input  bit [8*MOST_BYTES-1:0] data,
    output bit [8*MOST_BYTES-1:0] out
);
    bit [31:0]             offset[COUNT], word[COUNT];
    bit [MOST_BYTES-1:0]   on[COUNT];
    bit [8*MOST_BYTES-1:0] outs[COUNT];
    bit [COUNT-1:0]        is_at;

    for (genvar i = 0; i < COUNT; i++) begin : decoder
        assign is_at[i] = valid && addr >= BASES[i] && addr < BASES[i+1];
        assign offset[i] = is_at[i] ? addr - BASES[i] : 0;
        assign word[i] = offset[i] / BYTES[i];
        assign on[i] = is_at[i] && !ready ? strobes : 0;
    end

    always_comb begin
        out = 0;
        for (int i = 0; i < COUNT; i++)
            if (is_at[i])
                out = outs[i];
    end

    always_ff @(posedge clk)
        ready <= valid && !ready;

    // ---- Not in HDL for the host: a ROM that it has a copy of, a C model, a black box ----

    logic [31:0] rom[256];
    initial $readmemh("integration/designs/rom.hex", rom);
    always_ff @(posedge clk)
        outs[0][31:0] <= rom[8'(word[0])];

    ram ram (.clk, .valid(is_at[1]), .ready(), .addr, .wdata(data[31:0]), .wstrb(strobes[3:0]), .rdata(outs[1][31:0]));

    scratch box (
        .clk, .valid(is_at[11]), .ready(), .addr(offset[11]), .wdata(data[31:0]), .wstrb(strobes[3:0]), .rdata(outs[11][31:0]));

    // ---- Direct ----

    typedef logic [31:0] direct32_t[16384];
    sram #(.BYTES(4), .array_t(direct32_t)) direct32 (
        .clk, .word(word[2]), .strobes(on[2][3:0]), .data(data[31:0]), .out(outs[2][31:0]));

    typedef logic [23:0] direct24_t[500];
    sram #(.BYTES(3), .array_t(direct24_t)) direct24 (
        .clk, .word(word[3]), .strobes(on[3][2:0]), .data(data[23:0]), .out(outs[3][23:0]));

    typedef logic [71:0] direct72_t[100];
    sram #(.BYTES(9), .array_t(direct72_t)) direct72 (
        .clk, .word(word[4]), .strobes(on[4][8:0]), .data(data[71:0]), .out(outs[4][71:0]));

    typedef logic [7:0] direct8_t[300];
    sram #(.BYTES(1), .array_t(direct8_t)) direct8 (
        .clk, .word(word[5]), .strobes(on[5][0]), .data(data[7:0]), .out(outs[5][7:0]));

    typedef logic [2047:0] direct2048_t[16];
    sram #(.BYTES(256), .array_t(direct2048_t)) direct2048 (
        .clk, .word(word[6]), .strobes(on[6]), .data, .out(outs[6]));

    typedef logic [63:0] rows64_t[16][8];
    sram_rows #(.BYTES(8), .COLUMNS(8), .array_t(rows64_t)) rows64 (
        .clk, .word(word[7]), .strobes(on[7][7:0]), .data(data[63:0]), .out(outs[7][63:0]));

    typedef logic [15:0] descending16_t[511:0];
    sram #(.BYTES(2), .array_t(descending16_t)) descending16 (
        .clk, .word(word[8]), .strobes(on[8][1:0]), .data(data[15:0]), .out(outs[8][15:0]));

    typedef logic [39:0] descending_rows40_t[11:0][9:0];
    sram_rows #(.BYTES(5), .COLUMNS(10), .array_t(descending_rows40_t)) descending_rows40 (
        .clk, .word(word[9]), .strobes(on[9][4:0]), .data(data[39:0]), .out(outs[9][39:0]));

    typedef logic [3:0][7:0] packed32_t[128];
    sram #(.BYTES(4), .array_t(packed32_t)) packed32 (
        .clk, .word(word[10]), .strobes(on[10][3:0]), .data(data[31:0]), .out(outs[10][31:0]));

    // This one's backend is `vpi` in every case.
    typedef bit [15:0] other_t[128];
    sram #(.BYTES(2), .array_t(other_t)) other (
        .clk, .word(word[16]), .strobes(on[16][1:0]), .data(data[15:0]), .out(outs[16][15:0]));

    // ---- Banked ----

    banked #(.BYTES(4), .BANK_BYTES(4), .BANK_DEPTH(64), .ROWS(4)) vertical (
        .clk, .offset(offset[12]), .strobes(on[12][3:0]), .data(data[31:0]), .out(outs[12][31:0]));

    banked #(.BYTES(16), .BANK_BYTES(4), .BANK_DEPTH(64), .ROWS(1)) horizontal (
        .clk, .offset(offset[13]), .strobes(on[13][15:0]), .data(data[127:0]), .out(outs[13][127:0]));

    banked #(.BYTES(16), .BANK_BYTES(8), .BANK_DEPTH(64), .ROWS(4), .BANK_ROWS(8)) square (
        .clk, .offset(offset[14]), .strobes(on[14][15:0]), .data(data[127:0]), .out(outs[14][127:0]));

    banked #(.BYTES(9), .BANK_BYTES(3), .BANK_DEPTH(50), .ROWS(2)) square72 (
        .clk, .offset(offset[15]), .strobes(on[15][8:0]), .data(data[71:0]), .out(outs[15][71:0]));

    // ---- Not on the bus ----

    sram_sealed sealed (.clk);
endmodule
