// The cluster under UVM. The test defines the run.
module testbench;
    import uvm_pkg::*;
    `include "uvm_macros.svh"
    // Either package has the library's functions, too.
`ifndef OWN_PACKAGE
    import mailbox_uvm_pkg::*;
`endif
    import cluster_pkg::*;

    bit                     clk, resetn;
    bit [CORES-1:0]         trap, write;
    bit [CORES-1:0][31:0]   write_addr, write_data;
    bit [CORES-1:0][3:0]    write_strobes;

    MailboxIf mailbox_if ();
    cluster_bench #(.CORES(CORES)) bench (.*);

    initial begin
        MbRoot::mb().set_inf(mailbox_if);
        run_test();
    end

    // The bus: stores are passed to the observer.
    always @(posedge clk)
        for (int i = 0; i < CORES; i++)
            if (write[i] && bus != null)
                bus.stored(i, write_addr[i], write_data[i], write_strobes[i]);

    // A trapped core never exits.
    always @(posedge clk)
        if (resetn && trap != 0)
            `uvm_fatal("testbench", $sformatf("a core has trapped: %b\n%s", trap, mb_status()))
endmodule
