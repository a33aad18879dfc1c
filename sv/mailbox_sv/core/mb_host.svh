// The host in the testbench: its channels, methods and memories, and how far the run is. There is one.
class MbHost;
    local static MbHost one;

    // Who is told.
    MbHooks hooks = new;

    // A call of a method that is not there is fatal; without, firmware is told by -ENOSYS.
    bit missing_method_is_fatal = 1;

    // The process' exit status where the run has failed; 0 leaves it to the simulator.
    int failed_status;

    // The library is to be called at every tick.
    bit serving;

    // Methods whose call is pending: they are to be asked at every tick.
    local MbCallable pending[$];

    // Channels that have exited, and how.
    mb_codes_t codes;

    local MbCallable    methods[string];
    local MbAddressable memories[string];
    local MbChannel     channels[string];
    // Methods whose call has begun.
    local MbCallable    begun[$];

    // Whether the library was initialised, and whether that or a later call has failed.
    local bit initialised, broken;
    // All channels have exited, or the library has failed.
    local bit over;
    // Exits so far.
    local int unsigned exits;
    local longint unsigned ticks;
    // Whether an interface ticks.
    local bit clocked;

    static function MbHost get();
        if (one == null)
            one = new;
        return one;
    endfunction

    // ---- What the testbench registers ----

    // Tells somebody else from now on.
    function void set_hooks(MbHooks hooks);
        this.hooks = hooks;
    endfunction

    // A method of any channel, under its name.
    function void register_method(MbCallable method);
        string name = method.get_name();
        if (methods.exists(name)) begin
            hooks.report(MB_FATAL, "MbHost", $sformatf("there are two methods `%s`: give one another name", name));
            return;
        end
        methods[name] = method;
        foreach (channels[ch])
            equip(channels[ch], method);
    endfunction

    // A black-box memory, under its name in the memory configuration.
    function void register_memory(MbAddressable memory);
        memories[memory.get_name()] = memory;
    endfunction

    // A channel that the library serves.
    function void register_channel(string ch);
        if (channels.exists(ch))
            return;
        channels[ch] = new(ch);
        foreach (methods[name])
            equip(channels[ch], methods[name]);
        -> mb_changed;
    endfunction

    // An interface ticks from now on.
    function void connect();
        clocked = 1;
    endfunction

    local function void equip(MbChannel channel, MbCallable method);
        MbCallable own = method.another();
        if (own == null) begin
            hooks.report(MB_FATAL, "MbHost", $sformatf(
                "method `%s` can't be copied for channel `%s`: does its class have `uvm_object_utils`?",
                method.get_name(), channel.get_name()));
            return;
        end
        channel.add(own);
    endfunction

    // ---- What it knows ----

    // A channel; null, and fatal, where there is none.
    function MbChannel channel(string ch);
        if (channels.exists(ch))
            return channels[ch];
        hooks.report(MB_FATAL, "MbHost", $sformatf("there is no channel `%s`", ch));
        return null;
    endfunction

    // A black-box memory; null, and fatal, where there is none.
    function MbAddressable memory(string name);
        if (memories.exists(name))
            return memories[name];
        hooks.report(MB_FATAL, "MbHost", $sformatf("there is no memory `%s`: register one of that name", name));
        return null;
    endfunction

    // Whether a call is pending.
    function bit is_asked();
        return pending.size() != 0;
    endfunction

    // All channels have exited, or the library has failed.
    function bit is_over();
        return over;
    endfunction

    // Whether all is well so far: no exit code but 0, no failure, no error.
    function bit passed();
        foreach (codes[ch])
            if (codes[ch] != 0)
                return 0;
        return !broken && hooks.passed();
    endfunction

    // ---- Running ----

    // Builds the library's system, once: an empty argument is taken from the environment. False where that fails.
    function bit init(string mem_cfg = "", string mailbox_cfg = "", string fs_root = "");
        if (!initialised) begin
            initialised = 1;
            broken = mb_init(mem_cfg, mailbox_cfg, fs_root) != 0;
        end
        return !broken;
    endfunction

    // Begins to serve, and returns when there are channels whose methods are ready. Time passes by a MailboxIf alone.
    task start();
        if (!serving && !over) begin
            if (!clocked) begin
                hooks.report(MB_FATAL, "MbHost", "no interface ticks: connect a MailboxIf first");
                return;
            end
            serving = 1;
            hooks.serving(1);
            if (!init())
                stop();
        end
        while (channels.size() == 0 && !over)
            @mb_changed;
    endtask

    // Serves until all channels have exited.
    task run();
        start();
        wait_over();
    endtask

    // Returns when a channel has exited, or the library has failed.
    task wait_exit();
        while (exits == 0 && !over)
            @mb_changed;
    endtask

    // Returns when all channels have exited, or the library has failed.
    task wait_over();
        while (!over)
            @mb_changed;
    endtask

    // One look of the library at the mailboxes.
    function void tick();
        int served;
        ticks++;
        served = mb_tick();
        for (int i = pending.size() - 1; i >= 0; i--)
            if (!pending[i].keep(ticks))
                pending.delete(i);
        if (served < 0)
            broken = 1;
        if (served <= 0)
            stop();
    endfunction

    // No more is to come.
    function void stop();
        if (over)
            return;
        over = 1;
        serving = 0;
        hooks.serving(0);
        -> mb_changed;
    endfunction

    // Ends the library's part; with `failed_status`, the process too where the run has failed.
    function void finish();
        if (failed_status != 0 && !passed())
            mb_quit(failed_status);
        mb_shutdown();
    endfunction

    // Starts the execution of calls that have begun. For MailboxIf.
    function void execute();
        while (begun.size() != 0) begin
            automatic MbCallable method = begun.pop_front();
            fork
                method.serve();
            join_none
        end
    endfunction

    // ---- What the library tells ----

    // One poll of a method.
    function longint unsigned poll(
        string ch, string method, int unsigned arg_len, longint unsigned args[`SV_CALL_MAX_ARGS],
        output int unsigned status);
        MbChannel  at = channel(ch);
        MbCallable callee;
        status = MB_FAILED;
        if (at == null)
            return 0;
        callee = at.method(method);
        if (callee == null) begin
            status = MB_ABSENT;
            if (missing_method_is_fatal)
                hooks.report(MB_FATAL, ch, $sformatf("firmware calls method `%s`, which nobody has registered", method));
            return 0;
        end
        if (arg_len > `SV_CALL_MAX_ARGS) begin
            hooks.report(MB_ERROR, ch, $sformatf(
                "method `%s` is called with %0d arguments; %0d can be given", method, arg_len, `SV_CALL_MAX_ARGS));
            return 0;
        end
        // At once, and not when the tick is over: its next call may begin in the tick in which this one was answered.
        if (!callee.keep(ticks))
            forget(callee);
        poll = callee.poll(ticks, at.get_space(), arg_len, args, status);
        if (status == MB_FAILED)
            hooks.report(MB_ERROR, ch, $sformatf("method `%s` ended without a result: execute() did not yield", method));
        if (status == MB_PENDING)
            await(callee);
    endfunction

    local function void await(MbCallable callee);
        foreach (pending[i])
            if (pending[i] == callee)
                return;
        pending.push_back(callee);
        begun.push_back(callee);
        -> mb_begun;
    endfunction

    local function void forget(MbCallable callee);
        foreach (pending[i])
            if (pending[i] == callee) begin
                pending.delete(i);
                return;
            end
    endfunction

    // A channel has exited.
    function void exited(string ch, int unsigned code);
        codes[ch] = code;
        exits++;
        hooks.exited(ch, code);
        -> mb_changed;
    endfunction
endclass

// Serves until all channels have exited.
task automatic mb_server_run();
    MbHost::get().run();
endtask
