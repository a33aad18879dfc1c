// Returns without a yield and without time: a loop around it would never end.
class NoYieldCall extends MailboxSvCall;
    `uvm_object_utils(NoYieldCall)

    function new(string name = "launch");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
    endfunction

    protected virtual task execute();
    endtask
endclass
