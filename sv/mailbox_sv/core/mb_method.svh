// A method that firmware calls by name, and its state: INIT, then PENDING from the first poll of a call on, then READY when there
// is a result, which one more poll fetches.
//
// A method extends it, or MailboxSvCall in a UVM testbench, by `parse_args` and `execute`.
virtual class MbMethodOf #(type BASE = MbObject) extends BASE implements MbCallable;
    typedef enum {
        INIT,
        PENDING,
        READY
    } state_e;

    local state_e          state = INIT;
    local longint unsigned result;
    // There is no result: execute() returned without one.
    local bit              failed;
    // The tick of the last poll.
    local longint unsigned polled;

    // Calls that began, and those that were executed.
    local int unsigned begun, seen;
    // What executes them; null while nothing does.
    local process      executing;

    function new(string name = "");
        super.new(name);
    endfunction

    virtual function string get_name();
        return super.get_name();
    endfunction

    // Takes a call's arguments: `arg_len` of them count. `space` is what pointers among them point into.
    pure virtual protected function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);

    // Does what a call asks for, and ends with `yield`. It may take time.
    pure virtual protected task execute();

    pure virtual function MbCallable another();

    // Gives a call its result.
    virtual protected task yield(longint unsigned result);
        if (state == PENDING) begin
            this.result = result;
            state = READY;
        end
    endtask

    virtual function longint unsigned poll(
        longint unsigned tick, string space, int unsigned arg_len, longint unsigned args[`SV_CALL_MAX_ARGS],
        output int unsigned status);
        polled = tick;
        status = MB_PENDING;
        case (state)
            INIT: begin
                `MB_PTR given[] = new[`SV_CALL_MAX_ARGS];
                foreach (args[i])
                    given[i] = args[i];
                parse_args(space, arg_len, given);
                failed = 0;
                state = PENDING;
                begun++;
            end
            READY: begin
                state = INIT;
                status = failed ? MB_FAILED : MB_READY;
                return failed ? 0 : result;
            end
            default: ;
        endcase
        return 0;
    endfunction

    // A pending call is polled at every tick, or between each and the next: where one passes without, firmware has reset its channel.
    virtual function bit keep(longint unsigned tick);
        if (state != INIT && polled + 1 < tick) begin
            state = INIT;
            if (executing != null)
                executing.kill();
            executing = null;
        end
        return state != INIT;
    endfunction

    // One call after the other: execute() may go on after it has yielded.
    virtual task serve();
        if (executing != null)
            return;
        executing = process::self();
        while (begun != seen) begin
            seen = begun;
            if (state == PENDING)
                execute();
            // Nothing would ever answer it.
            if (state == PENDING && begun == seen) begin
                failed = 1;
                state = READY;
            end
        end
        executing = null;
    endtask
endclass

// Without UVM.
typedef MbMethodOf#(MbObject) MbMethod;
