// Method that firmware calls by name. A method of the testbench extends this class, or
// MailboxSvCall under UVM, with `parse_args` and `execute`.
//
// `execute` is a coroutine: it begins at the first call, runs again after it has returned, and
// `yield` suspends it until the next call. States of a call: INIT; PENDING from its first poll on;
// READY from the yield until a poll fetches the result.
//
// Each instance has two processes: one runs `execute`, the other one ends it, with all its forked
// processes, when firmware resets the channel while its call is pending. The next call begins
// `execute` again.
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
    // True if execute() returned without a result.
    local bit              failed;
    // Number of calls so far.
    local int unsigned     calls;
    // True if execute() has yielded since it began.
    local bit              yielded;
    // True if a call was dropped, and its process has not ended yet.
    local bit              dropped;
    // Process that runs supervise(), or will run it.
    local process          supervisor;
    local bit              starting;

    function new(string name = "");
        super.new(name);
    endfunction

    virtual function string get_name();
        return super.get_name();
    endfunction

    // Returns the channel whose calls this instance executes.
    function string get_channel();
        return channel;
    endfunction

    virtual function void set_channel(string ch);
        channel = ch;
        host = MbHost::registering();
    endfunction

    // Parses a call's arguments: the first `arg_len` are valid, the others are 0. `space` is the
    // space of pointers among them.
    pure virtual protected function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);

    // Executes calls, and completes each by a `yield`. It may take simulated time.
    pure virtual protected task execute();

    pure virtual function MbCallable clone_for_channel();

    // Sets the result of the pending call, and returns at the next call, after its `parse_args`.
    virtual protected task yield(longint unsigned result);
        int unsigned call = calls;
        yielded = 1;
        if (state == PENDING && !dropped) begin
            this.result = result;
            state = READY;
        end else if (!dropped)
            of_host().report(MB_ERROR, channel, $sformatf(
                "method `%s`: yield() was called twice for one call; the result %0d is ignored", get_name(), result));
        // After its call was dropped it never returns: its process will be ended.
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

    // Also false if a user of run() was killed together with the supervisor: the next call starts
    // another one.
    local function bit is_running();
        if (supervisor == null || starting)
            return starting;
        return supervisor.status() != process::FINISHED && supervisor.status() != process::KILLED;
    endfunction

    // Ends execute() by killing its parent's children: in Verilator, process::kill does not end
    // forked processes.
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

    // Runs execute(). Without a yield the call fails, and the next one is awaited: a loop around
    // execute() would never advance time. Its forked processes are ended, since a late yield in one
    // would complete another call.
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

// Method without UVM.
typedef MbMethodOf#(MbObject) MbMethod;
