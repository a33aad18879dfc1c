// Reads the string at an address by backdoor, writes it back in capitals, and returns its length.
class GreetCall extends MailboxSvCall;
    `uvm_object_utils(GreetCall)

    local string  space;
    local `MB_PTR addr;

    function new(string name = "greet");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
        this.space = space;
        addr = args[0];
    endfunction

    protected virtual task execute();
        string text;
        mb_backdoor_read_string(space, addr, text);
        mb_backdoor_write_string(space, addr, text.toupper());
        yield(64'(text.len()));
    endtask
endclass
