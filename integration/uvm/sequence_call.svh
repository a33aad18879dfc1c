// Returns 10, 20, 30, and again.
class SequenceCall extends MailboxSvCall;
    `uvm_object_utils(SequenceCall)

    function new(string name = "sequence");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
    endfunction

    protected virtual task execute();
        yield(10);
        yield(20);
        yield(30);
    endtask
endclass
