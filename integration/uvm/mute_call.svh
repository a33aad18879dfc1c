// Never yields.
class MuteCall extends MailboxSvCall;
    `uvm_object_utils(MuteCall)

    function new(string name = "launch");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
    endfunction

    protected virtual task execute();
        MbRoot::mb().step();
    endtask
endclass
