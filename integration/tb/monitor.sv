// Monitors the cores' stores, and signals those into a mailbox.
//
// firmware/link.ld places the mailbox at an address from its options: here MAILBOX, relative to the
// core's own RAM.
module monitor #(
    parameter int CORES = 1,
    parameter bit [15:0] MAILBOX = 16'h8000,
    parameter int SIZE = 800
) (
    input  bit [CORES-1:0]       write,
    input  bit [CORES-1:0][31:0] write_addr,
    output bit                   written
);
    always_comb begin
        written = 0;
        for (int i = 0; i < CORES; i++)
            written |= write[i] && write_addr[i][31:28] == 0
                && write_addr[i][15:0] >= MAILBOX && int'(write_addr[i][15:0]) < int'(MAILBOX) + SIZE;
    end
endmodule
