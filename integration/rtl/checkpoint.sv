// PicoRV32 with one RAM, for a C++ program that saves the model: tb/checkpoint.cpp.
module top (
    input bit clk,
    input bit resetn
);
    logic [31:0] mem[32768] /*verilator public_flat_rw*/;

    bit        trap, valid, ready;
    bit [31:0] addr, wdata, rdata;
    bit [3:0]  wstrb;

    core core (.*);

    always @(posedge clk) begin
        ready <= valid && !ready;
        rdata <= mem[addr[16:2]];
        if (valid && !ready)
            for (int i = 0; i < 4; i++)
                if (wstrb[i]) mem[addr[16:2]][8*i+:8] <= wdata[8*i+:8];
    end
endmodule
