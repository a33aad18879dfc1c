// One chip with the host of sv/mailbox_sv. When firmware has suspended itself into RAM, the
// testbench saves RAM and host; when firmware has done the work that is lost, it restores both.
//
//   +checkpoint=FILE  file of the host's checkpoint
module testbench;
    import mailbox_core_pkg::*;
    import plain_pkg::*;
    `include "mailbox.svh"

    // Values of firmware's word of progress: firmware/suspend.c.
    localparam bit [31:0] RUNS = 0, SUSPENDED = 1, LOST = 2;

    // Takes the address of firmware's word of progress.
    class WatchMethod extends MbMethod;
        `MB_PTR addr;

        function new(string name = "watch");
            super.new(name);
        endfunction

        virtual function MbCallable clone_for_channel();
            return this;
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
            addr = args[0];
        endfunction

        protected virtual task execute();
            yield(0);
        endtask
    endclass

    bit clk, resetn;

    initial forever #5ns clk = !clk;

    bit        trap, write;
    bit [31:0] write_addr;

    soc soc (.clk, .resetn, .trap, .write, .write_addr);

    MailboxIf mailbox ();
    assign mailbox.clk = clk;
    assign mailbox.reset = !resetn;

    WatchMethod watch = new;

    // Waits until firmware's word of progress has this value.
    task automatic wait_for(bit [31:0] progress);
        int unsigned found;
        do begin
            @(posedge clk);
            found = RUNS;
            if (watch.addr != 0)
                mb_backdoor_read_u32("cpu0", watch.addr, found);
        end while (found != progress);
    endtask

    task automatic save_and_restore(string file);
        static bit [7:0] saved[$size(soc.core[0].ram.bytes)];
        wait_for(SUSPENDED);
        if (mb_save(file) != 0)
            $fatal(1);
        saved = soc.core[0].ram.bytes;
        mb_backdoor_write_u32("cpu0", watch.addr, RUNS);
        wait_for(LOST);
        resetn = 0;
        repeat (8) @(posedge clk);
        soc.core[0].ram.bytes = saved;
        if (mb_restore(file) != 0)
            $fatal(1);
        $display("testbench: restored");
        resetn = 1;
    endtask

    initial begin
        automatic MbHost     host = MbHost::get();
        automatic WaitMethod wait_ = new;
        automatic string     file = "";
        host.register_method(watch);
        host.register_method(wait_);
        mailbox.connect(host);
        #85ns resetn = 1;
        if ($value$plusargs("checkpoint=%s", file) != 0)
            fork
                save_and_restore(file);
            join_none
        host.run();
        $finish;
    end

    initial begin
        repeat (200_000) @(posedge clk);
        $display("testbench: no end");
        $fatal(1);
    end
endmodule
