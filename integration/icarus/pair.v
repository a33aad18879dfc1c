// Two chips in one simulation, each with its testbench and a system of its own.
`timescale 1ns/1ps

module pair;
    wire [1:0] over;

    testbench #(.SYSTEM(1)) left (.over(over[0]));
    testbench #(.SYSTEM(1)) right (.over(over[1]));

    always @(over)
        if (over === 2'b11)
            $mb_quit(left.status != 0 ? left.status : right.status);
endmodule
