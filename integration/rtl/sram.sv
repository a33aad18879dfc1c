// Arrays that the host reaches by their paths: the comment at each makes it public to VPI.

// Of one dimension. How it is declared is a parameter: some count their words downwards, or have words that are arrays of bytes.
module sram #(
    parameter int BYTES = 4,
    parameter type array_t = int
) (
    input  bit               clk,
    input  bit [31:0]        word,
    input  bit [BYTES-1:0]   strobes,
    input  bit [8*BYTES-1:0] data,
    output bit [8*BYTES-1:0] out
);
    array_t mem /*verilator public_flat_rw*/;

    always_ff @(posedge clk) begin
        automatic bit [8*BYTES-1:0] value = mem[word];
        out <= value;
        for (int i = 0; i < BYTES; i++)
            if (strobes[i])
                value[8*i+:8] = data[8*i+:8];
        if (strobes != 0)
            mem[word] <= value;
    end
endmodule

// Of rows, of COLUMNS words each.
module sram_rows #(
    parameter int BYTES = 4,
    parameter int COLUMNS = 8,
    parameter type array_t = int
) (
    input  bit               clk,
    input  bit [31:0]        word,
    input  bit [BYTES-1:0]   strobes,
    input  bit [8*BYTES-1:0] data,
    output bit [8*BYTES-1:0] out
);
    array_t mem /*verilator public_flat_rw*/;

    always_ff @(posedge clk) begin
        automatic bit [31:0] row = word / COLUMNS;
        automatic bit [31:0] column = word % COLUMNS;
        automatic bit [8*BYTES-1:0] value = mem[row][column];
        out <= value;
        for (int i = 0; i < BYTES; i++)
            if (strobes[i])
                value[8*i+:8] = data[8*i+:8];
        if (strobes != 0)
            mem[row][column] <= value;
    end
endmodule

// The host may look at this one only.
module sram_sealed (
    input bit clk
);
    logic [31:0] mem[16] /*verilator public_flat_rd*/;

    always_ff @(posedge clk)
        mem[0] <= mem[0] + 1;
endmodule
