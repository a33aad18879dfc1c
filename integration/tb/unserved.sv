// The testbench's part of a host whose library does not serve. Without a fault it serves.
//
//   +fault=NAME     a fault of tb/unserved.cpp, or no-interface, no-clock, no-start
//   +heedless       reports don't end the run, as with demoted fatal errors of UVM
module unserved;
    import mailbox_core_pkg::*;

    import "DPI-C" function void library_fails(input string how);

    // Counts reports, and lets the run continue.
    class Heedless extends MbHooks;
        virtual function void report(mb_severity_e severity, string id, string text);
            $display("%s: %s: %s", severity.name(), id, text);
        endfunction
    endclass

    bit    clk;
    string fault = "none";

    MailboxIf mailbox_if ();
    assign mailbox_if.clk = clk;

    initial begin
        automatic Heedless heedless = new;
        void'($value$plusargs("fault=%s", fault));
        if ($test$plusargs("heedless") != 0)
            MbHost::get().set_hooks(heedless);
        library_fails(fault);
        if (fault != "no-interface")
            mailbox_if.connect();
        if (fault != "no-start")
            mb_server_run();
        $finish;
    end

    initial
        repeat (100)
            #5 clk = fault != "no-clock" && !clk;

    initial #1us $finish;
endmodule
