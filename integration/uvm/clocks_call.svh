// Returns the number of clocks that have passed.
class ClocksCall extends MailboxSvCall;
    `uvm_object_utils(ClocksCall)

    function new(string name = "clocks");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
    endfunction

    protected virtual task execute();
        yield($time / 10);
    endtask
endclass
