// Environment of the cluster, with UVM or without: clock and reset, the mailbox's interface, the
// memory behind the window, and a doorbell.
//
//   +period=N     a tick every N clocks (default 1)
//   +notify       ticks on notification only; with +period=N, these ticks, too
//   +shortened=N  a tick every N clocks from the 1000th on
module cluster_bench #(
    parameter int CORES = 3
) (
    MailboxIf                    mailbox_if,
    output bit                   clk,
    output bit                   resetn,
    output bit [CORES-1:0]       trap,
    // The cores' stores, see rtl/cluster.sv.
    output bit [CORES-1:0]       write,
    output bit [CORES-1:0][31:0] write_addr,
    output bit [CORES-1:0][31:0] write_data,
    output bit [CORES-1:0][3:0]  write_strobes
);
    import mailbox_core_pkg::*;

    // Address of firmware's mailbox in a core's RAM (an option of firmware/link.ld).
    localparam bit [31:0] RAM = 32'h1_0000;
    localparam bit [31:0] MAILBOX = 32'h8000;
    localparam bit [31:0] MAILBOX_SIZE = 800;

    bit        window_valid, window_ready;
    bit [31:0] window_addr, window_wdata, window_rdata;
    bit [3:0]  window_wstrb;

    cluster #(.CORES(CORES)) cluster (.*);

    always #5 clk = !clk;

    initial begin
        repeat (8) @(posedge clk);
        resetn = 1;
    end

    assign mailbox_if.clk = clk;
    assign mailbox_if.reset = !resetn;

    initial begin
        if ($test$plusargs("notify") != 0)
            mailbox_if.period = 0;
        void'($value$plusargs("period=%d", mailbox_if.period));
        if ($test$plusargs("shortened") != 0) begin
            repeat (1000) @(posedge clk);
            void'($value$plusargs("shortened=%d", mailbox_if.period));
        end
    end

    // The memory behind the window is the testbench's: firmware and host access the same bytes.
    always @(posedge clk) begin
        window_ready <= window_valid && !window_ready;
        if (window_valid && !window_ready) begin
            automatic MbAddressable scratch = MbHost::get().memory("scratch");
            automatic bit [31:0]    word;
            for (int b = 0; b < 4; b++) begin
                automatic byte unsigned data = window_wdata[8*b+:8];
                if (window_wstrb[b])
                    scratch.write(64'({window_addr[11:2], 2'(b)}), data);
                scratch.read(64'({window_addr[11:2], 2'(b)}), data);
                word[8*b+:8] = data;
            end
            window_rdata <= word;
        end
    end

    // A store into a mailbox rings the doorbell.
    always @(posedge clk)
        for (int i = 0; i < CORES; i++)
            if (write[i] && write_addr[i] inside {[MAILBOX + RAM * i : MAILBOX + RAM * i + MAILBOX_SIZE - 1]})
                mailbox_if.notify();
endmodule
