// Banks in ROWS and columns. A bus word consists of one word of each bank in a row, side by side.
module banked #(
    parameter int BYTES = 4,
    parameter int BANK_BYTES = 4,
    parameter int BANK_DEPTH = 64,
    // Number of bits above the data in a word of a bank.
    parameter int BITS_ABOVE = 0,
    parameter int ROWS = 1,
    // More than one for banks that are arrays of rows and columns.
    parameter int BANK_ROWS = 1
) (
    input  bit               clk,
    // Byte offset of the word in the memory.
    input  bit [31:0]        offset,
    input  bit [BYTES-1:0]   strobes,
    input  bit [8*BYTES-1:0] data,
    output bit [8*BYTES-1:0] out,
    // True if every bank has kept its bits above the data.
    output bit               kept
);
    localparam int COLUMNS = BYTES / BANK_BYTES;
    localparam int BANK_COLUMNS = BANK_DEPTH / BANK_ROWS;

    typedef logic [BITS_ABOVE+8*BANK_BYTES-1:0] flat_t[BANK_DEPTH];
    typedef logic [BITS_ABOVE+8*BANK_BYTES-1:0] rows_t[BANK_ROWS][BANK_COLUMNS];

    bit [31:0] word, in_row, out_row;
    bit [8*BYTES-1:0] outs[ROWS];
    bit [ROWS-1:0][COLUMNS-1:0] kepts;

    assign word = (offset / BYTES) % BANK_DEPTH;
    assign in_row = offset / (BYTES * BANK_DEPTH);
    assign out = outs[out_row];
    assign kept = &kepts;

    always_ff @(posedge clk)
        out_row <= in_row;

    for (genvar r = 0; r < ROWS; r++) begin : row
        for (genvar c = 0; c < COLUMNS; c++) begin : column
            bit [BANK_BYTES-1:0] bank_strobes;
            assign bank_strobes = in_row == r ? strobes[BANK_BYTES*c+:BANK_BYTES] : 0;
            if (BANK_ROWS == 1) begin : flat
                sram #(.BYTES(BANK_BYTES), .array_t(flat_t)) bank (
                    .clk, .word, .strobes(bank_strobes),
                    .data(data[8*BANK_BYTES*c+:8*BANK_BYTES]), .out(outs[r][8*BANK_BYTES*c+:8*BANK_BYTES]),
                    .kept(kepts[r][c]));
            end else begin : folded
                sram_rows #(.BYTES(BANK_BYTES), .array_t(rows_t)) bank (
                    .clk, .word, .strobes(bank_strobes),
                    .data(data[8*BANK_BYTES*c+:8*BANK_BYTES]), .out(outs[r][8*BANK_BYTES*c+:8*BANK_BYTES]),
                    .kept(kepts[r][c]));
            end
        end
    end
endmodule
