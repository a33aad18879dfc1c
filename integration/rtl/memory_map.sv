// Address map of memories.sv, as in designs/memories.mem.yaml: one memory behind the other without
// a gap, except for `front`, which overlaps `direct32` and has priority.
package memory_map;
    typedef enum int {
        ROM, RAM, FRONT, DIRECT32, DIRECT24, DIRECT72, DIRECT8, DIRECT2048, ROWS64, DESCENDING16, DESCENDING_ROWS40,
        PACKED32, BOX, VERTICAL, HORIZONTAL, SQUARE, SQUARE72, OTHER, ECC32, PARITY64, ABOVE1000, FROM16, DOWN_TO16,
        FROM_BELOW0, ECC_DOWN_BELOW0, ROWS_FROM16, ECC_ROWS_DOWN
    } memory_t;

    localparam int COUNT = 27;

    localparam string NAMES[COUNT] = '{
        "rom", "ram", "front", "direct32", "direct24", "direct72", "direct8", "direct2048", "rows64", "descending16",
        "descending_rows40", "packed32", "box", "vertical", "horizontal", "square", "square72", "other", "ecc32",
        "parity64", "above1000", "from16", "down_to16", "from_below0", "ecc_down_below0", "rows_from16",
        "ecc_rows_down"};

    localparam int unsigned BASES[COUNT] = '{
        'h1_f800, 'h1_fc00, 'h2_8000, 'h2_0000, 'h3_0000, 'h3_05dc, 'h3_0960, 'h3_0a8c, 'h3_1a8c, 'h3_1e8c, 'h3_228c,
        'h3_24e4, 'h3_26e4, 'h3_28e4, 'h3_2ce4, 'h3_30e4, 'h3_40e4, 'h3_4468, 'h3_4568, 'h3_4768, 'h3_4968, 'h3_4d50,
        'h3_4d90, 'h3_4dd0, 'h3_4df0, 'h3_4e30, 'h3_5630};

    localparam int unsigned SIZES[COUNT] = '{
        'h400, 'h400, 'h100, 'h1_0000, 1500, 900, 300, 'h1000, 'h400, 'h400, 600, 'h200, 'h200, 'h400, 'h400, 'h1000,
        900, 'h100, 'h200, 'h200, 1000, 'h40, 'h40, 'h20, 'h40, 'h800, 'h240};

    // Bytes of a word on the bus. In a banked memory, a word is a row of banks.
    localparam int unsigned BYTES[COUNT] = '{
        4, 4, 4, 4, 3, 9, 1, 256, 8, 2, 5, 4, 4, 4, 16, 16, 9, 2, 4, 8, 125, 4, 4, 2, 4, 8, 3};
    localparam int MOST_BYTES = 256;

    localparam int unsigned FIRST = BASES[0];
    localparam int unsigned END = BASES[COUNT-1] + SIZES[COUNT-1];

    // Index of the memory at an address; the first one in the list if two overlap.
    function automatic int memory_at(int unsigned addr);
        for (int i = 0; i < COUNT; i++)
            if (addr >= BASES[i] && addr < BASES[i] + SIZES[i])
                return i;
        return 0;
    endfunction
endpackage
