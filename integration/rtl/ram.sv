// One port of the RAM. Its bytes are in a C model (ram.cpp), which the host accesses by
// `__vhost_bb_mem_read` and `…_write`.
module ram (
    input  bit        clk,
    input  bit        valid,
    output bit        ready,
    input  bit [31:0] addr,
    input  bit [31:0] wdata,
    input  bit [3:0]  wstrb,
    output bit [31:0] rdata
);
    import "DPI-C" function int unsigned ram_load(input int unsigned addr);
    import "DPI-C" function void ram_store(
        input int unsigned addr, input int unsigned data, input int unsigned strobes);

    always_ff @(posedge clk) begin
        ready <= valid && !ready;
        if (valid && !ready) begin
            if (wstrb != 0)
                ram_store(addr, wdata, {28'b0, wstrb});
            else
                rdata <= ram_load(addr);
        end
    end
endmodule
