// Arrays that the host accesses by their paths. The comment at each array makes it public to VPI.
//
// The array's declaration is a parameter: its index range, upwards or downwards, and words that are
// arrays of bytes or have more bits than the data. Word 0 is at the lowest index.
//
// Bits above the data are written with the data, and must be unchanged when the word is read next:
// `kept` is set if they are, for the word whose data is on `out`.

// Array with one dimension.
module sram #(
    parameter int BYTES = 4,
    parameter type array_t = int
) (
    input  bit               clk,
    input  bit [31:0]        word,
    input  bit [BYTES-1:0]   strobes,
    input  bit [8*BYTES-1:0] data,
    output bit [8*BYTES-1:0] out,
    output bit               kept
);
    array_t mem /*verilator public_flat_rw*/;

    localparam int DEPTH = $size(mem);
    localparam int BITS = $bits(mem) / DEPTH;
    localparam bit [BITS-1:0] ABOVE = ~BITS'(0) << 8 * BYTES;
    // Bits above the data, as RTL has written them.
    bit [BITS-1:0] above[DEPTH];

    always_ff @(posedge clk) begin
        automatic int index = $low(mem) + int'(word);
        automatic bit [BITS-1:0] value = mem[index];
        out <= value[8*BYTES-1:0];
        kept <= (value & ABOVE) == above[word];
        for (int i = 0; i < BYTES; i++)
            if (strobes[i])
                value[8*i+:8] = data[8*i+:8];
        if (strobes != 0) begin
            value = value & ~ABOVE | (value ^ BITS'(word)) << 8 * BYTES;
            mem[index] <= value;
            above[word] <= value & ABOVE;
        end
    end
endmodule

// Array of rows.
module sram_rows #(
    parameter int BYTES = 4,
    parameter type array_t = int
) (
    input  bit               clk,
    input  bit [31:0]        word,
    input  bit [BYTES-1:0]   strobes,
    input  bit [8*BYTES-1:0] data,
    output bit [8*BYTES-1:0] out,
    output bit               kept
);
    array_t mem /*verilator public_flat_rw*/;

    localparam int ROWS = $size(mem, 1);
    localparam int COLUMNS = $size(mem, 2);
    localparam int BITS = $bits(mem) / (ROWS * COLUMNS);
    localparam bit [BITS-1:0] ABOVE = ~BITS'(0) << 8 * BYTES;
    // Bits above the data, as RTL has written them.
    bit [BITS-1:0] above[ROWS*COLUMNS];

    always_ff @(posedge clk) begin
        automatic int row = $low(mem, 1) + int'(word) / COLUMNS;
        automatic int column = $low(mem, 2) + int'(word) % COLUMNS;
        automatic bit [BITS-1:0] value = mem[row][column];
        out <= value[8*BYTES-1:0];
        kept <= (value & ABOVE) == above[word];
        for (int i = 0; i < BYTES; i++)
            if (strobes[i])
                value[8*i+:8] = data[8*i+:8];
        if (strobes != 0) begin
            value = value & ~ABOVE | (value ^ BITS'(word)) << 8 * BYTES;
            mem[row][column] <= value;
            above[word] <= value & ABOVE;
        end
    end
endmodule

// Array that the host may only read.
module sram_sealed (
    input bit clk
);
    logic [31:0] mem[16] /*verilator public_flat_rd*/;

    always_ff @(posedge clk)
        mem[0] <= mem[0] + 1;
endmodule
