// Testbench: a clock, the chip, and a method in SystemVerilog that reads its argument by backdoor.
module testbench;
    import mailbox_core_pkg::*;

    import "DPI-C" context function longint host_ticks();

    // Counts the capitals of a string in the chip's memory.
    class Capitals extends MbMethod;
        string text;

        function new();
            super.new("capitals");
        endfunction

        virtual function MbCallable clone_for_channel();
            Capitals own = new;
            return own;
        endfunction

        virtual protected function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
            mb_backdoor_read_string(space, args[0], text);
        endfunction

        virtual protected task execute();
            longint unsigned capitals;
            foreach (text[i])
                if (text[i] >= "A" && text[i] <= "Z")
                    capitals++;
            yield(capitals);
        endtask
    endclass

    bit clk, resetn;

    always #1 clk = !clk;
    initial #20 resetn = 1;

    MailboxIf mailbox_if ();
    assign mailbox_if.clk = clk;
    assign mailbox_if.reset = !resetn;

    chip chip (.*);

    initial begin
        automatic Capitals capitals = new;
        MbHost::get().register_method(capitals);
        mailbox_if.connect();
        mb_server_run();
        $display("testbench: the host has ticked: %0d", host_ticks() > 0);
        $finish;
    end

    initial #4_000_000 $fatal(1, "no end:\n%s", mb_status());
endmodule
