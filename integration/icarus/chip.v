// A chip in plain Verilog, without a host: a PicoRV32 with its RAM and a scratch memory.
//
//   0x0000_0000    RAM: 128 KiB
//   0x1000_0000    scratch memory: 4 KiB
`timescale 1ns/1ps

module chip (
    input  wire clk,
    input  wire resetn,
    output wire trap,
    // A store into the mailbox. The test passes the mailbox's address to firmware/link.ld.
    output wire written
);
    wire        valid;
    wire [31:0] addr, wdata;
    wire [3:0]  wstrb;
    reg         ready;
    reg  [31:0] rdata;

    picorv32 #(.ENABLE_MUL(1), .ENABLE_DIV(1)) cpu (
        .clk(clk), .resetn(resetn), .trap(trap),
        .mem_valid(valid), .mem_instr(), .mem_ready(ready),
        .mem_addr(addr), .mem_wdata(wdata), .mem_wstrb(wstrb), .mem_rdata(rdata),
        .mem_la_read(), .mem_la_write(), .mem_la_addr(), .mem_la_wdata(), .mem_la_wstrb(),
        .pcpi_valid(), .pcpi_insn(), .pcpi_rs1(), .pcpi_rs2(),
        .pcpi_wr(1'b0), .pcpi_rd(32'b0), .pcpi_wait(1'b0), .pcpi_ready(1'b0),
        .irq(32'b0), .eoi(), .trace_valid(), .trace_data()
    );

    // Written by the host and by firmware only.
    reg [31:0] ram[0:32767];
    reg [7:0]  scratch[0:4095];

    integer lane;

    always @(posedge clk) begin
        ready <= resetn && valid && !ready;
        if (resetn && valid && !ready) begin
            if (addr[31:28] == 0) begin
                rdata <= ram[addr[16:2]];
                for (lane = 0; lane < 4; lane = lane + 1)
                    if (wstrb[lane])
                        ram[addr[16:2]][8*lane +: 8] <= wdata[8*lane +: 8];
            end else begin
                rdata <= {scratch[{addr[11:2], 2'd3}], scratch[{addr[11:2], 2'd2}],
                          scratch[{addr[11:2], 2'd1}], scratch[{addr[11:2], 2'd0}]};
                for (lane = 0; lane < 4; lane = lane + 1)
                    if (wstrb[lane])
                        scratch[{addr[11:2], 2'b0} + lane] <= wdata[8*lane +: 8];
            end
        end
    end

    assign written = valid && ready && wstrb != 0 && addr >= 32'h8000 && addr < 32'h8000 + 800;
endmodule
