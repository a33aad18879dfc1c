// One port of a RAM array in SystemVerilog. For the host it is a black box, which the testbench
// implements by `mb_bb_mem_read` and `…_write`.
module ram (
    input  bit        clk,
    input  bit        valid,
    output bit        ready,
    input  bit [31:0] addr,
    input  bit [31:0] wdata,
    input  bit [3:0]  wstrb,
    output bit [31:0] rdata
);
    localparam int SIZE = 'h20000;

    bit [7:0] bytes[SIZE];

    bit [16:0] at;
    assign at = {addr[16:2], 2'b0};

    // Not always_ff: the testbench writes the bytes, too.
    always @(posedge clk) begin
        ready <= valid && !ready;
        if (valid && !ready) begin
            for (int i = 0; i < 4; i++)
                if (wstrb[i])
                    bytes[at+17'(unsigned'(i))] <= wdata[8*i+:8];
            rdata <= {bytes[at+3], bytes[at+2], bytes[at+1], bytes[at]};
        end
    end
endmodule
