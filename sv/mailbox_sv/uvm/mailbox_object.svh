// Mailbox of a UVM testbench, returned by MbRoot::mb().
class Mailbox extends uvm_object;
    `uvm_object_utils(Mailbox)

    // Host with its settings, and its reports.
    MbHost       host;
    MailboxHooks hooks;

    local virtual MailboxIf inf;

    function new(string name = "Mailbox");
        super.new(name);
        host = MbHost::get();
        hooks = new(this);
        host.set_hooks(hooks);
    endfunction

    // Sets the interface that ticks.
    function void set_inf(virtual MailboxIf inf);
        this.inf = inf;
        inf.connect();
    endfunction

    // Registers a method of all channels.
    function void registery_method(MailboxSvCall method);
        host.register_method(method);
    endfunction

    // Registers a channel that is served. The library registers the configured channels itself.
    function void registery_ch(string ch);
        host.register_channel(ch);
    endfunction

    // Returns a channel; fatal if there is none.
    function MailboxCh get_ch(string ch);
        return host.channel(ch) == null ? null : MailboxCh::type_id::create(ch);
    endfunction

    // Starts service, and returns when the channels are registered, each with its own instances of
    // the methods.
    task start();
        host.start();
    endtask

    // Waits for the next clock.
    task step();
        @(posedge inf.clk);
    endtask

    // Handles the exit of a channel.
    function void exit(int unsigned code);
        host.exited("", code);
    endfunction

    // Waits until the first channel has exited. The run phase is no longer kept open then.
    task wait_finish();
        host.wait_exit();
        hooks.serving(0);
    endtask

    // Waits until all channels have exited, and returns their exit codes.
    task wait_finish_all(output mb_codes_t codes);
        host.wait_over();
        codes = host.codes;
    endtask

    // Polls a method once.
    function longint unsigned poll(
        string ch, string method, bit [31:0] arg_len, `MB_PTR args[], output int unsigned status);
        return host.poll(ch, method, arg_len, args, status);
    endfunction
endclass
