// Two chips in one simulation, whose testbenches each call mb_init in a scope of their own. It ends
// when both have ended; `status` is the first one that is not 0.
module pair (
    input  bit clk,
    output int status
);
    int left_status, right_status;
    bit left_over, right_over;

    testbench #(.ENDS(0)) left (.clk, .over(left_over), .status(left_status));
    testbench #(.ENDS(0)) right (.clk, .over(right_over), .status(right_status));

    always @(posedge clk)
        if (left_over && right_over) begin
            status = left_status != 0 ? left_status : right_status;
            $finish;
        end
endmodule
