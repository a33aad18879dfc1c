// Two chips in one simulation, whose testbenches each call mb_init in a scope of their own. It ends
// when both have ended, with the first status that is not 0.
module pair (
    input  bit clk,
    output int status
);
    import "DPI-C" context function void mb_quit(input int status);

    int left_status, right_status;
    bit left_over, right_over, are_over;

    testbench #(.ENDS(0)) left (.clk, .over(left_over), .status(left_status));
    testbench #(.ENDS(0)) right (.clk, .over(right_over), .status(right_status));

    // The testbenches set their status at the first edge after their end.
    always @(posedge clk) begin
        are_over <= left_over && right_over;
        if (are_over) begin
            status = left_status != 0 ? left_status : right_status;
            if (status != 0)
                mb_quit(status);
            $finish;
        end
    end
endmodule
