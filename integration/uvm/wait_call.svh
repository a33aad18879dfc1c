// Returns after the number of clocks in its argument, which is its result.
class WaitCall extends MailboxSvCall;
    `uvm_object_utils(WaitCall)

    local `MB_PTR count;

    function new(string name = "wait");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
        count = args[0];
    endfunction

    protected virtual task execute();
        repeat (32'(count))
            MbRoot::mb().step();
        yield(count);
    endtask
endclass
