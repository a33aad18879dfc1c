// PicoRV32 with only clock, reset and bus, as in all designs.
module core #(
    // Reset address.
    parameter bit [31:0] START = 0,
    parameter bit        COMPRESSED = 0
) (
    input  bit        clk,
    input  bit        resetn,
    output bit        trap,
    output bit        valid,
    input  bit        ready,
    output bit [31:0] addr,
    output bit [31:0] wdata,
    output bit [3:0]  wstrb,
    input  bit [31:0] rdata
);
    picorv32 #(
        .ENABLE_MUL(1),
        .ENABLE_DIV(1),
        .COMPRESSED_ISA(COMPRESSED),
        .PROGADDR_RESET(START)
    ) cpu (
        .clk(clk), .resetn(resetn), .trap(trap),
        .mem_valid(valid), .mem_instr(), .mem_ready(ready),
        .mem_addr(addr), .mem_wdata(wdata), .mem_wstrb(wstrb), .mem_rdata(rdata),
        .mem_la_read(), .mem_la_write(), .mem_la_addr(), .mem_la_wdata(), .mem_la_wstrb(),
        .pcpi_valid(), .pcpi_insn(), .pcpi_rs1(), .pcpi_rs2(),
        .pcpi_wr(1'b0), .pcpi_rd(32'b0), .pcpi_wait(1'b0), .pcpi_ready(1'b0),
        .irq(32'b0), .eoi(), .trace_valid(), .trace_data()
    );
endmodule
