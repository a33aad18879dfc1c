// Channel of the host, by its name: the methods that firmware calls on it, and the space of its
// pointers.
class MailboxCh extends uvm_object;
    `uvm_object_utils(MailboxCh)

    function new(string name = "MailboxCh");
        super.new(name);
    endfunction

    function string get_space();
        MbChannel channel = MbHost::get().channel(get_name());
        return channel == null ? "" : channel.get_space();
    endfunction

    // Returns this channel's instance of a method; null if there is none.
    function MbCallable get_method(string method);
        MbChannel channel = MbHost::get().channel(get_name());
        return channel == null ? null : channel.method(method);
    endfunction

    // Registers a clone of a method for this channel only.
    function void registery(MailboxSvCall method);
        MbHost::get().register_channel_method(get_name(), method);
    endfunction

    // Starts the methods before their first call. Optional: a call starts its method.
    task start();
        MbChannel channel = MbHost::get().channel(get_name());
        if (channel != null)
            channel.run();
    endtask

    // Polls a method once.
    function longint unsigned poll(string method, bit [31:0] arg_len, `MB_PTR args[], output int unsigned status);
        return MbHost::get().poll(get_name(), method, arg_len, args, status);
    endfunction
endclass
