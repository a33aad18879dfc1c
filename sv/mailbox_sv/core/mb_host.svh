// Host of the testbench: its channels, methods and memories, and the progress of the run. There is
// one for the first system, and one for each further system.
class MbHost;
    // Number of ticks without a poll by the testbench after which a waiting call of firmware is
    // reported.
    localparam longint unsigned UNPOLLED_TICKS = 1024;

    local static MbHost inst;
    // Hosts of further systems, by name.
    local static MbHost others[string];
    // Host of the channel that a method is being registered for.
    local static MbHost giver;

    // Handle of the system; null for the first one.
    local chandle system;

    // Receiver of notifications.
    MbHooks hooks = new;

    // True if a call of a missing method is fatal; otherwise firmware gets -ENOSYS.
    bit missing_method_is_fatal = 1;

    // Exit status of the process for a failed run; 0 leaves it to the simulator. -1 takes the
    // status of the hooks, which is 1 without UVM and 0 with it.
    int failed_status = -1;

    // True while the library must be called at every tick.
    bit serving;

    // Snapshots of the run; null if there are none.
    local MbSnapshots snapshots;
    // True if the hooks detect failures.
    local bit         watched;

    // Pending calls of firmware and of the testbench.
    local MbPending pending[$];
    // Number of polls by __mb_call in progress.
    local int unsigned asking;

    // Exit codes of channels that have exited.
    mb_codes_t codes;

    local MbCallable    methods[string];
    local MbAddressable memories[string];
    local MbChannel     channels[string];
    // Methods whose call has begun, and whose execution may have to be started.
    local MbCallable    to_run[$];

    // Reasons of calls of the library that have failed, by channel: shown with the library's own
    // report of the call.
    local mb_cause_t causes[string];

    // True if the library was initialised; true if the initialisation or a later call has failed.
    local bit initialised, broken;
    // True after a call of start().
    local bit started;
    // True after a call of finish().
    local bit finished;
    // Number of reports of the library with severity error or fatal.
    local int unsigned library_errors;
    // True if all channels have exited, or the library has failed.
    local bit over;
    // Number of exits so far.
    local int unsigned exits;
    // Numbers of ticks that have begun and that have ended: the library polls the mailboxes in
    // between. Not a flag that is set and cleared around the library's call: Verilator drops the
    // first of two stores, whatever is called in between.
    local longint unsigned ticks, ticks_over;
    // True if an interface ticks.
    local bit clocked;

    static function MbHost get();
        if (inst == null)
            inst = new;
        return inst;
    endfunction

    // Returns the host of a further system, which is opened at the first use of its name. Its
    // MailboxIf connects to this host, and methods and memories of the system are registered here.
    static function MbHost get_system(string name);
        MbHost host;
        if (!others.exists(name)) begin
            host = new;
            host.system = mb_system_open(name);
            others[name] = host;
            if (host.system == null)
                host.end_failed(mb_last_error());
        end
        return others[name];
    endfunction

    // Returns the host of the system that calls a function of the testbench.
    static function MbHost calling();
        chandle current;
        if (others.num() != 0) begin
            current = mb_system_current();
            // null means the first system, or a host whose system could not be opened.
            foreach (others[name])
                if (current != null && others[name].system == current)
                    return others[name];
        end
        return get();
    endfunction

    // Returns the host of the channel that a method is being registered for.
    static function MbHost registering();
        return giver;
    endfunction

    // Selects this system for calls of the library, until another one is selected. The host does so
    // before its own calls. With several systems, call it before your own calls
    // (mb_backdoor_write_u32, mb_status, ...), except within functions that the library calls:
    // those are for the system that calls.
    function void select();
        if (others.num() != 0)
            void'(mb_system_select(system));
    endfunction

    // Notifies the host of a write to a mailbox, which is visible at the next tick.
    function void notify();
        select();
        mb_notify();
    endfunction

    // ---- Registration by the testbench ----

    // Replaces the receiver of notifications.
    function void set_hooks(MbHooks hooks);
        this.hooks = hooks;
    endfunction

    // Takes snapshots from now on, or from `init` on. A failed run is rerun from the newest one.
    function void set_snapshots(MbSnapshots snapshots);
        this.snapshots = snapshots;
        if (initialised && !broken)
            start_snapshots();
    endfunction

    // Registers a method of all channels under its name.
    function void register_method(MbCallable method);
        string name = method.get_name();
        if (methods.exists(name)) begin
            report(MB_FATAL, "MbHost", $sformatf("method `%s` is registered twice; rename one", name));
            return;
        end
        methods[name] = method;
        foreach (channels[ch])
            bind_method(channels[ch], method);
    endfunction

    // Registers a method of one channel under its name.
    function void register_channel_method(string ch, MbCallable method);
        MbChannel at = channel(ch);
        if (at == null)
            return;
        if (at.method(method.get_name()) != null)
            report(MB_FATAL, "MbHost", $sformatf(
                "channel `%s` has two methods `%s`; rename one", ch, method.get_name()));
        else
            bind_method(at, method);
    endfunction

    // Registers a black-box memory under its name in the memory configuration.
    function void register_memory(MbAddressable memory);
        if (memories.exists(memory.get_name()))
            report(MB_FATAL, "MbHost", $sformatf(
                "memory `%s` is registered twice; rename one", memory.get_name()));
        else
            memories[memory.get_name()] = memory;
    endfunction

    // Registers a channel that the library serves.
    function void register_channel(string ch);
        if (channels.exists(ch))
            return;
        channels[ch] = new(ch);
        foreach (methods[name])
            bind_method(channels[ch], methods[name]);
        -> mb_changed;
    endfunction

    // Registers an interface that ticks from now on.
    function void connect();
        clocked = 1;
    endfunction

    local function void bind_method(MbChannel channel, MbCallable method);
        MbCallable own = method.clone_for_channel();
        if (own == null) begin
            report(MB_FATAL, "MbHost", $sformatf(
                "method `%s` can't be copied for channel `%s`; give its class `uvm_object_utils`",
                method.get_name(), channel.get_name()));
            return;
        end
        giver = this;
        channel.add(own);
        giver = null;
    endfunction

    // ---- Queries ----

    // Returns a channel; null, after a fatal report, if there is none.
    function MbChannel channel(string ch);
        if (channels.exists(ch))
            return channels[ch];
        report(MB_FATAL, "MbHost", $sformatf("channel `%s` does not exist; check its name in the mailbox configuration", ch));
        return null;
    endfunction

    // Returns a black-box memory; null, after a fatal report, if there is none.
    function MbAddressable memory(string name);
        if (memories.exists(name))
            return memories[name];
        report(MB_FATAL, "MbHost", $sformatf("memory `%s` is not registered; register one of that name", name));
        return null;
    endfunction

    // Returns true while a call of firmware is pending, which each tick polls.
    function bit has_pending_calls();
        foreach (pending[i])
            if (pending[i].by_firmware)
                return 1;
        return 0;
    endfunction

    // Returns true once all channels have exited, or the host has failed or was stopped.
    function bit is_done();
        return over;
    endfunction

    // Returns true while nothing has failed: no exit code other than 0, no failure of the host, no
    // error.
    function bit passed();
        foreach (codes[ch])
            if (codes[ch] != 0)
                return 0;
        return !broken && hooks.passed();
    endfunction

    // ---- Running ----

    // Builds the library's system, once. An empty argument is taken from the environment. Returns
    // false, after a report, if it fails.
    function bit init(string mem_cfg = "", string mailbox_cfg = "", string fs_root = "");
        int unsigned reported = library_errors;
        if (!initialised) begin
            initialised = 1;
            select();
            if (mb_init(mem_cfg, mailbox_cfg, fs_root) != 0)
                fail("mb_init", reported);
            else
                start_snapshots();
        end
        return !broken;
    endfunction

    // Starts service, and returns when there are channels whose methods are ready. Only a MailboxIf
    // advances time.
    task start();
        started = 1;
        if (!serving && !over) begin
            serving = 1;
            hooks.serving(1);
            if (!clocked)
                end_failed("no MailboxIf is connected; connect one before start()");
            else
                void'(init());
        end
        while (channels.size() == 0 && !over)
            @mb_changed;
    endtask

    // Serves until all channels have exited.
    task run();
        start();
        wait_over();
    endtask

    // Waits until a channel has exited, or the library has failed.
    task wait_exit();
        while (exits == 0 && !over)
            @mb_changed;
    endtask

    // Waits until all channels have exited, or the library has failed.
    task wait_over();
        while (!over)
            @mb_changed;
    endtask

    // Ticks the library, which polls the mailboxes once.
    function void tick();
        int unsigned reported = library_errors;
        int          served;
        ticks++;
        select();
        served = mb_tick();
        ticks_over = ticks;
        tell_causes();
        if (snapshots != null)
            snapshots.ticked();
        drop_unpolled();
        if (served < 0)
            fail("mb_tick", reported);
        else if (served > 0 && channels.size() == 0)
            end_failed({"the library does not find the exports of mailbox_core_pkg (sv_registery_ch was not called); ",
                "make the linker keep them (Verilator: -LDFLAGS -Wl,--undefined=mb_report)"});
        else if (served == 0)
            complete();
    endfunction

    // Ends service.
    function void stop();
        if (over)
            return;
        over = 1;
        serving = 0;
        hooks.serving(0);
        -> mb_changed;
    endfunction

    // Shuts the library down at the end of the simulation. With a `failed_status`, also ends the
    // process of a failed run. For MailboxIf.
    function void finish();
        int status = failed_status < 0 ? hooks.failed_status() : failed_status;
        if (finished || !(started || initialised || clocked))
            return;
        finished = 1;
        select();
        if (serving && ticks == 0) begin
            broken = 1;
            report(MB_ERROR, "MbHost", "no request was served: the clock of the MailboxIf had no rising edge outside of reset");
        end else if (!started)
            report(MB_WARNING, "MbHost", "no request was served: neither start() nor mb_server_run() was called");
        // For failures that were not reported.
        if (!passed())
            run_failed();
        if (is_rerun())
            snapshots.ending();
        if (status != 0 && !passed()) begin
            mb_quit(status);
            // A return of mb_quit means that the library refused it, and reported the reason.
            report(MB_FATAL, "MbHost", "the run has failed");
        end
        mb_shutdown();
    endfunction

    // Handles a failure of the run before it is reported: the first one starts a rerun from the
    // newest snapshot, if there is one. For failures that the host does not detect: call it before
    // a `$fatal` of the testbench. The host detects UVM's errors.
    function void run_failed();
        if (snapshots != null)
            snapshots.failed();
    endfunction

    // Shows a report. A failure is rerun first, since a fatal report may end the process.
    function void report(mb_severity_e severity, string id, string text);
        if (severity >= MB_ERROR && !watched)
            run_failed();
        hooks.report(severity, id, text);
    endfunction

    // Returns true in a rerun from a snapshot.
    function bit is_rerun();
        return snapshots != null && snapshots.is_rerun;
    endfunction

    local function void start_snapshots();
        if (snapshots == null)
            return;
        watched = hooks.watch_failures();
        select();
        snapshots.start();
    endfunction

    // Starts the execution of methods whose call has begun. For MailboxIf.
    task run_calls();
        while (to_run.size() != 0) begin
            MbCallable method = to_run.pop_front();
            method.run();
        end
    endtask

    // Handles the end of service of the last channel.
    local function void complete();
        if (channels.size() == 0)
            report(MB_WARNING, "MbHost", "no request was served: the mailbox configuration has no channel with `server: true`");
        foreach (channels[ch])
            if (!codes.exists(ch)) begin
                broken = 1;
                report(MB_ERROR, ch,
                    "service ended without a call of mb_exited; remove other exports of mb_exited from the testbench");
            end
        stop();
    endfunction

    // Handles the failure of a call of the library. Reports of the library since `reported` errors
    // are not repeated.
    local function void fail(string call, int unsigned reported);
        string text = mb_last_error();
        if (library_errors != reported) begin
            broken = 1;
            stop();
        end else
            end_failed(text != "" ? text : {call, " failed without an error text; see stderr"});
    endfunction

    // Ends service after a failure that was not reported. The report comes last, since a fatal one
    // may end the process.
    local function void end_failed(string text);
        broken = 1;
        stop();
        report(MB_FATAL, "MbHost", text);
    endfunction

    // ---- Calls by the library ----

    // Polls a method for the library. The library reports each failed call itself, followed by the
    // reason, so that a failure has one report.
    function longint unsigned answer(
        string ch, string method, bit [31:0] arg_len, `MB_PTR args[], output int unsigned status);
        mb_cause_t cause;
        answer = try_poll(ch, method, arg_len, args, ticks != ticks_over && asking == 0, status, cause);
        if (cause.text != "")
            causes[ch] = cause;
    endfunction

    // Polls a method for the testbench. A failure is reported.
    function longint unsigned poll(
        string ch, string method, bit [31:0] arg_len, `MB_PTR args[], output int unsigned status);
        mb_cause_t cause;
        poll = try_poll(ch, method, arg_len, args, 0, status, cause);
        if (cause.text != "")
            report(cause.severity, ch, cause.text);
    endfunction

    // Polls a method through the library, for __mb_call: a poll by the testbench, also within a
    // tick.
    function longint unsigned ask(
        string ch, string method, bit [31:0] arg_len, longint unsigned args[16], output int unsigned status);
        asking++;
        select();
        ask = mb_call_c(ch, method, arg_len, args, status);
        asking--;
    endfunction

    local function longint unsigned try_poll(
        string ch, string method, bit [31:0] arg_len, `MB_PTR args[], bit by_firmware,
        output int unsigned status, output mb_cause_t cause);
        MbCallable callee;
        MbPending  other;
        MbChannel  at;
        cause.severity = MB_ERROR;
        cause.text = "";
        status = MB_FAILED;
        if (!channels.exists(ch)) begin
            cause.severity = MB_FATAL;
            cause.text = $sformatf("there is no channel `%s`", ch);
            return 0;
        end
        at = channels[ch];
        callee = at.method(method);
        if (callee == null) begin
            status = MB_ABSENT;
            if (missing_method_is_fatal) begin
                cause.severity = MB_FATAL;
                cause.text = $sformatf("firmware calls method `%s`, which is not registered", method);
            end
            return 0;
        end
        if (arg_len > `SV_CALL_MAX_ARGS) begin
            cause.text = $sformatf("method `%s` is called with %0d arguments; the maximum is %0d", method, arg_len, `SV_CALL_MAX_ARGS);
            return 0;
        end
        // At once, and not at the end of the tick: the method's next call may begin in the tick of
        // this call's response.
        drop_unpolled();
        other = pending_call(callee, !by_firmware);
        if (other != null && other.begun) begin
            status = MB_PENDING;
            note_pending(callee, by_firmware, 0);
            if (by_firmware && other.polled + UNPOLLED_TICKS == ticks)
                report(MB_WARNING, ch, $sformatf(
                    "method `%s`: firmware's call waits for that of the testbench, which has not been polled for %0d ticks",
                    method, UNPOLLED_TICKS));
            return 0;
        end
        try_poll = callee.poll(at.get_space(), arg_len, given(args), status);
        if (status == MB_FAILED)
            cause.text = $sformatf(
                "method `%s` failed: execute() returned without a yield(); its forked processes are ended: join those that yield",
                method);
        if (status == MB_PENDING)
            note_pending(callee, by_firmware, 1);
        else
            forget(callee, by_firmware);
    endfunction

    // Converts arguments to as many words as a method receives. Words that firmware has not passed
    // are 0.
    local function mb_args_t given(`MB_PTR args[]);
        given = new[`SV_CALL_MAX_ARGS];
        foreach (given[i])
            given[i] = i < args.size() ? args[i] : 0;
    endfunction

    // Returns the pending call of a method, by firmware or by the testbench; null if there is none.
    local function MbPending pending_call(MbCallable method, bit by_firmware);
        foreach (pending[i])
            if (pending[i].method == method && pending[i].by_firmware == by_firmware)
                return pending[i];
        return null;
    endfunction

    local function void note_pending(MbCallable method, bit by_firmware, bit begun);
        MbPending call = pending_call(method, by_firmware);
        if (call == null) begin
            call = new(method, by_firmware);
            pending.push_back(call);
        end
        if (begun && !call.begun)
            to_run.push_back(method);
        call.begun = begun;
        call.polled = ticks;
    endfunction

    local function void forget(MbCallable method, bit by_firmware);
        foreach (pending[i])
            if (pending[i].method == method && pending[i].by_firmware == by_firmware) begin
                pending.delete(i);
                return;
            end
    endfunction

    // Drops the calls of firmware that were not polled in this tick: firmware has reset the
    // channel.
    local function void drop_unpolled();
        drop_calls(ticks);
    endfunction

    // Drops all calls of firmware after a restore from a checkpoint, whose pending calls begin
    // anew.
    function void restored();
        drop_calls(ticks + 2);
    endfunction

    // Drops the calls of firmware that were polled last more than a tick before `now`. Calls of the
    // testbench may be polled at any interval.
    local function void drop_calls(longint unsigned now);
        for (int i = pending.size() - 1; i >= 0; i--) begin
            MbPending call = pending[i];
            if (call.by_firmware && call.polled + 1 < now) begin
                if (call.begun)
                    call.method.drop_call();
                pending.delete(i);
            end
        end
    endfunction

    // Handles a report of the library. The error that follows a failed call of its channel belongs
    // to that call.
    function void library_report(mb_severity_e severity, string id, string text);
        if (severity >= MB_ERROR)
            library_errors++;
        if (severity >= MB_ERROR && causes.exists(id)) begin
            mb_cause_t cause = causes[id];
            causes.delete(id);
            report(cause.severity > severity ? cause.severity : severity, id, {cause.text, "; ", text});
        end else
            report(severity, id, text);
    endfunction

    // Reports reasons that the library has not reported in the tick of the failure: the caller was
    // not firmware.
    local function void tell_causes();
        string ch;
        while (causes.first(ch) != 0) begin
            mb_cause_t cause = causes[ch];
            causes.delete(ch);
            report(cause.severity, ch, cause.text);
        end
    endfunction

    // Handles the exit of a channel.
    function void exited(string ch, int unsigned code);
        codes[ch] = code;
        exits++;
        if (code != 0 && !watched)
            run_failed();
        hooks.exited(ch, code);
        -> mb_changed;
    endfunction
endclass

// Continues from a checkpoint. Returns 0, or -1. Methods begin the pending calls of the checkpoint
// anew.
function automatic int mb_restore(input string file);
    mb_restore = mb_restore_c(file);
    if (mb_restore == 0)
        MbHost::calling().restored();
endfunction

// Serves until all channels have exited.
task automatic mb_server_run();
    MbHost::get().run();
endtask

// Polls a method for the testbench, through the library as for other callers.
function automatic longint unsigned __mb_call(
    input string ch, input string method, input int unsigned arg_len, input longint unsigned args[16],
    output int unsigned status);
    return MbHost::get().ask(ch, method, arg_len, args, status);
endfunction
