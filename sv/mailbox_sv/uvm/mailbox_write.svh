// Write of the host to simulated memory: firmware's image, words of the mailbox, data of requests,
// or the testbench's own backdoor.
class MailboxWrite extends uvm_sequence_item;
    `uvm_object_utils(MailboxWrite)

    string           space;
    longint unsigned addr;
    byte unsigned    data[];
    // Time of the write, in the time unit of the package with this class.
    realtime         written_at;

    function new(string name = "MailboxWrite");
        super.new(name);
    endfunction

    virtual function string convert2string();
        string text = $sformatf("%s: %0h:", space, addr);
        foreach (data[i])
            text = {text, $sformatf(" %02h", data[i])};
        return text;
    endfunction

    virtual function void do_print(uvm_printer printer);
        super.do_print(printer);
        printer.print_string("bytes", convert2string());
        printer.print_time("written_at", time'(written_at));
    endfunction

    virtual function void do_copy(uvm_object rhs);
        MailboxWrite from;
        super.do_copy(rhs);
        if ($cast(from, rhs) == 0)
            `uvm_fatal("MailboxWrite", "a copy is made of another type")
        space = from.space;
        addr = from.addr;
        data = from.data;
        written_at = from.written_at;
    endfunction

    virtual function bit do_compare(uvm_object rhs, uvm_comparer comparer);
        MailboxWrite with_;
        return super.do_compare(rhs, comparer) && $cast(with_, rhs) != 0 && space == with_.space && addr == with_.addr
            && data == with_.data;
    endfunction
endclass
