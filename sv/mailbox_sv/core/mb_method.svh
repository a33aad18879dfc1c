// A method that firmware calls by name. A method of the testbench extends it, or MailboxSvCall under UVM, by
// `parse_args` and `execute`.
//
// `execute` is a coroutine: it begins at the first call, runs again whenever it returns, and `yield` suspends it until
// the next call. State of a call: INIT, then PENDING from its first poll on, then READY from the yield until a poll
// fetches the result.
//
// Two processes per instance: one runs `execute`, the other ends it, with all its forked processes, when firmware
// resets the channel while its call is pending. The next call begins `execute` again.
virtual class MbMethodOf #(type BASE = MbObject) extends BASE implements MbCallable;
    typedef enum {
        INIT,
        PENDING,
        READY
    } state_e;

    // Host of the channel.
    protected MbHost       host;

    local string           channel;
    local state_e          state = INIT;
    local longint unsigned result;
    // execute() returned without a result.
    local bit              failed;
    // Calls so far.
    local int unsigned     calls;
    // execute() has yielded since it began.
    local bit              yielded;
    // A call was dropped, and the process that executed it has yet to be ended.
    local bit              dropped;
    // Runs supervise(), or is about to.
    local process          supervisor;
    local bit              starting;

    function new(string name = "");
        super.new(name);
    endfunction

    virtual function string get_name();
        return super.get_name();
    endfunction

    // The channel whose calls this instance answers.
    function string get_channel();
        return channel;
    endfunction

    virtual function void set_channel(string ch);
        channel = ch;
        host = MbHost::registering();
    endfunction

    // Takes a call's arguments: the first `arg_len` are valid, the others are 0. `space` is that of pointers among
    // them.
    pure virtual protected function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);

    // Answers calls, each by a `yield`. It may take simulated time.
    pure virtual protected task execute();

    pure virtual function MbCallable clone_for_channel();

    // Gives the pending call its result, and returns at the next call, for which `parse_args` has then run.
    virtual protected task yield(longint unsigned result);
        int unsigned call = calls;
        yielded = 1;
        if (state == PENDING && !dropped) begin
            this.result = result;
            state = READY;
        end else if (!dropped)
            of_host().report(MB_ERROR, channel, $sformatf(
                "method `%s`: yield() was called twice for one call; the result %0d is ignored", get_name(), result));
        // If its call was dropped, it never returns: its process is about to be ended.
        while (calls == call || dropped)
            @mb_begun;
    endtask

    local function MbHost of_host();
        return host != null ? host : MbHost::get();
    endfunction

    virtual function longint unsigned poll(
        string space, bit [31:0] arg_len, `MB_PTR args[], output int unsigned status);
        status = MB_PENDING;
        case (state)
            INIT: begin
                parse_args(space, arg_len, args);
                failed = 0;
                state = PENDING;
                calls++;
                -> mb_begun;
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

    virtual function void drop_call();
        if (state == INIT)
            return;
        state = INIT;
        dropped = 1;
        -> mb_dropped;
    endfunction

    virtual task run();
        if (is_running())
            return;
        starting = 1;
        fork
            supervise();
        join_none
    endtask

    // False, too, if a user of run() was killed, and the supervisor with it: the next call starts another.
    local function bit is_running();
        if (supervisor == null || starting)
            return starting;
        return supervisor.status() != process::FINISHED && supervisor.status() != process::KILLED;
    endfunction

    // Ends execute() by ending its parent's children: in Verilator process::kill does not end forked processes.
    local task supervise();
        supervisor = process::self();
        starting = 0;
        forever begin
            while (state != PENDING)
                @mb_begun;
            dropped = 0;
            fork
                run_execute();
            join_none
            while (!dropped)
                @mb_dropped;
            disable fork;
        end
    endtask

    // Without a yield execute() fails the call, and waits for another one: a loop around it would never let time pass.
    // Its forked processes are ended: a late yield there would answer another call.
    local task run_execute();
        forever begin
            int unsigned call = calls;
            yielded = 0;
            execute();
            if (!yielded) begin
                disable fork;
                if (state == PENDING && !dropped) begin
                    failed = 1;
                    state = READY;
                end
                while (calls == call || dropped)
                    @mb_begun;
            end
        end
    endtask
endclass

// Without UVM.
typedef MbMethodOf#(MbObject) MbMethod;
