// Served request of firmware, with its response.
class MailboxItem extends uvm_sequence_item;
    `uvm_object_utils(MailboxItem)

    string           channel;
    // Slot in the request queue.
    int unsigned     slot;
    // One of mb_action_e, or the number of a custom command.
    int unsigned     action;
    // Words of the request.
    longint unsigned args[$];
    // Name of the method, in a CALL.
    string           method;
    // Number of ticks between taking and serving.
    int unsigned     ticks;
    // True if it has a response, and the response's value: a negated error number if the request
    // failed.
    bit              answered;
    longint unsigned result;
    // Time of service, in the time unit of the package with this class.
    realtime         served_at;

    function new(string name = "MailboxItem");
        super.new(name);
    endfunction

    virtual function string action_name();
        mb_action_e known;
        return $cast(known, action) != 0 ? known.name() : $sformatf("custom %0h", action);
    endfunction

    virtual function string convert2string();
        string text = {channel, ": ", action_name()};
        if (action == MB_CALL)
            text = {text, " ", method};
        foreach (args[i])
            text = {text, $sformatf(" %0h", args[i])};
        return answered ? {text, $sformatf(" -> %0h", result)} : text;
    endfunction

    virtual function void do_print(uvm_printer printer);
        super.do_print(printer);
        printer.print_string("request", convert2string());
        printer.print_string("slot", $sformatf("%0d", slot));
        printer.print_string("ticks", $sformatf("%0d", ticks));
        printer.print_time("served_at", time'(served_at));
    endfunction

    virtual function void do_copy(uvm_object rhs);
        MailboxItem from;
        super.do_copy(rhs);
        if ($cast(from, rhs) == 0)
            `uvm_fatal("MailboxItem", "a copy is made of another type")
        channel = from.channel;
        slot = from.slot;
        action = from.action;
        args = from.args;
        method = from.method;
        ticks = from.ticks;
        answered = from.answered;
        result = from.result;
        served_at = from.served_at;
    endfunction

    // Returns true for the same request with the same response, at any time.
    virtual function bit do_compare(uvm_object rhs, uvm_comparer comparer);
        MailboxItem with_;
        return super.do_compare(rhs, comparer) && $cast(with_, rhs) != 0 && channel == with_.channel
            && action == with_.action && args == with_.args && method == with_.method
            && answered == with_.answered && result == with_.result;
    endfunction
endclass
