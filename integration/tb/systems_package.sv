// Two independent chips, each with a host of sv/mailbox_sv. They end one after the other.
module testbench;
    import mailbox_core_pkg::*;
    import plain_pkg::*;
    `include "mailbox.svh"

    // Reads the string at an address by backdoor, writes it back in capitals, and returns its
    // length. It takes simulated time in between, in which the other system is served.
    class GreetMethod extends MbMethod;
        local string  space;
        local `MB_PTR addr;

        function new(string name = "greet");
            super.new(name);
        endfunction

        virtual function MbCallable clone_for_channel();
            GreetMethod method = new(get_name());
            return method;
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
            this.space = space;
            addr = args[0];
        endfunction

        protected virtual task execute();
            string text;
            host.select();
            mb_backdoor_read_string(space, addr, text);
            #55ns;
            host.select();
            mb_backdoor_write_string(space, addr, text.toupper());
            yield(64'(text.len()));
        endtask
    endclass

    bit clk, resetn;

    initial forever #5ns clk = !clk;
    initial #85ns resetn = 1;

    bit        trap_left, trap_right, write_left, write_right;
    bit [31:0] addr_left, addr_right;

    soc left (.clk, .resetn, .trap(trap_left), .write(write_left), .write_addr(addr_left));
    soc right (.clk, .resetn, .trap(trap_right), .write(write_right), .write_addr(addr_right));

    MailboxIf if_left ();
    MailboxIf if_right ();
    assign if_left.clk = clk;
    assign if_left.reset = !resetn;
    assign if_right.clk = clk;
    assign if_right.reset = !resetn;

    function automatic void set_up(MbHost host);
        AddMethod   add = new;
        WaitMethod  wait_ = new;
        GreetMethod greet = new;
        host.register_method(add);
        host.register_method(wait_);
        host.register_method(greet);
        host.missing_method_is_fatal = 0;
        // Errors of requests that the self-test expects to be refused.
        host.failed_status = 0;
    endfunction

    task automatic run(string name);
        MbHost host = MbHost::get_system(name);
        host.run();
        host.select();
        foreach (host.codes[ch])
            $display("%s: %s has exited with %0d after %0d clocks", mb_system_name(), ch, host.codes[ch], 64'($time) / 10);
    endtask

    initial begin
        set_up(MbHost::get_system("left"));
        set_up(MbHost::get_system("right"));
        if_left.connect(MbHost::get_system("left"));
        if_right.connect(MbHost::get_system("right"));
        // A tick every third clock.
        if_right.period = 3;
        fork
            run("left");
            run("right");
        join
        $finish;
    end

    initial begin
        repeat (2_000_000) @(posedge clk);
        $display("testbench: no end");
        $fatal(1);
    end
endmodule
