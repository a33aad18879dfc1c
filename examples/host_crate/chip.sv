// PicoRV32 whose RAM is in the host program.
module chip (
    input bit clk,
    input bit resetn
);
    import "DPI-C" function int unsigned ram_load(input int unsigned addr);
    import "DPI-C" function void ram_store(
        input int unsigned addr, input int unsigned data, input int unsigned strobes);

    bit        valid, ready, trap;
    bit [31:0] addr, wdata, rdata;
    bit [3:0]  wstrb;

    core cpu (.*);

    always @(posedge clk)
        if (trap)
            $fatal(1, "the core has trapped");

    always @(posedge clk) begin
        ready <= valid && !ready;
        if (valid && !ready) begin
            if (wstrb != 0)
                ram_store(addr, wdata, {28'b0, wstrb});
            else
                rdata <= ram_load(addr);
        end
    end
endmodule
