// Yields twice in one call.
class SecondYieldCall extends MailboxSvCall;
    `uvm_object_utils(SecondYieldCall)

    function new(string name = "launch");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
    endfunction

    protected virtual task execute();
        fork
            yield(7);
            yield(8);
        join
    endtask
endclass
