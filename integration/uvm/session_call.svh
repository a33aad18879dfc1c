// Waits for a number of clocks. Returns 100000 times the number of calls in this run of execute(),
// plus the number of counts of its forked process during the waits.
class SessionCall extends MailboxSvCall;
    `uvm_object_utils(SessionCall)

    local `MB_PTR      clocks;
    local int unsigned beats;

    function new(string name = "session");
        super.new(name);
    endfunction

    protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
        clocks = args[0];
    endfunction

    protected virtual task execute();
        longint unsigned calls;
        fork
            forever begin
                MbRoot::mb().step();
                beats++;
            end
        join_none
        forever begin
            int unsigned before_ = beats;
            calls++;
            repeat (32'(clocks))
                MbRoot::mb().step();
            yield(calls * 100000 + 64'(beats - before_));
        end
    endtask
endclass
