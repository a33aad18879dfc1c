// One channel: the methods that firmware calls on it, and the space that its pointers point into.
class MailboxCh extends uvm_object;
    `uvm_object_utils(MailboxCh)

    local MbChannel channel;

    function new(string name = "MailboxCh");
        super.new(name);
    endfunction

    function void set_channel(MbChannel channel);
        this.channel = channel;
    endfunction

    function string get_space();
        return channel.get_space();
    endfunction

    // This channel's instance of a method; null where there is none.
    function MbCallable get_method(string method);
        return channel.method(method);
    endfunction
endclass
