// Returns the sum of all arguments so far.
class TotalCall extends MailboxSvCall;
    `uvm_object_utils(TotalCall)

    local `MB_PTR value;

    function new(string name = "total");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
        value = args[0];
    endfunction

    protected virtual task execute();
        longint unsigned total;
        forever begin
            total += value;
            yield(total);
        end
    endtask
endclass
