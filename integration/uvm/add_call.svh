// Returns the sum of the arguments.
class AddCall extends MailboxSvCall;
    `uvm_object_utils(AddCall)

    local `MB_PTR sum;

    function new(string name = "add");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
        sum = 0;
        for (int unsigned i = 0; i < arg_len; i++)
            sum += args[i];
    endfunction

    protected virtual task execute();
        yield(sum);
    endtask
endclass
