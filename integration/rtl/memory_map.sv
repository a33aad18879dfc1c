// Where the memories of memories.sv are, one behind the other without a gap, as designs/memories.mem.yaml has them.
package memory_map;
    localparam int COUNT = 17;

    localparam string NAMES[COUNT] = '{
        "rom", "ram", "direct32", "direct24", "direct72", "direct8", "direct2048", "rows64", "descending16",
        "descending_rows40", "packed32", "box", "vertical", "horizontal", "square", "square72", "other"};

    // Of each memory, and the end of the last.
    localparam int unsigned BASES[COUNT+1] = '{
        'h1_f800, 'h1_fc00, 'h2_0000, 'h3_0000, 'h3_05dc, 'h3_0960, 'h3_0a8c, 'h3_1a8c, 'h3_1e8c,
        'h3_228c, 'h3_24e4, 'h3_26e4, 'h3_28e4, 'h3_2ce4, 'h3_30e4, 'h3_40e4, 'h3_4468, 'h3_4568};

    // Of a word on the bus, which in a banked memory is a row of banks.
    localparam int unsigned BYTES[COUNT] = '{4, 4, 4, 3, 9, 1, 256, 8, 2, 5, 4, 4, 4, 16, 16, 9, 2};
    localparam int MOST_BYTES = 256;
endpackage
