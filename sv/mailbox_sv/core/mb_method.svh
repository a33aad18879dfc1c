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

    // Calls that began, and those that `serve` has seen.
    local int unsigned begun, seen;
    // How the call that is executed went on: execute() has returned, or firmware has reset its channel.
    local bit executed, dropped;

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

    // A pending call is polled at every tick: where one passes without, firmware has reset its channel.
    virtual function bit keep(longint unsigned tick);
        if (state != INIT && polled != tick) begin
            state = INIT;
            dropped = 1;
        end
        return state != INIT;
    endfunction

    virtual task serve();
        forever begin
            wait (begun != seen);
            seen = begun;
            if (state != PENDING)
                continue;
            executed = 0;
            dropped = 0;
            fork
                begin
                    execute();
                    executed = 1;
                end
                wait (executed || dropped);
            join_any
            // What execute() has left running is its own matter, unless it is told to stop.
            if (!executed)
                disable fork;
            else if (state == PENDING && begun == seen) begin
                failed = 1;
                state = READY;
            end
        end
    endtask
endclass

// Without UVM.
typedef MbMethodOf#(MbObject) MbMethod;
