// Notifications of the host to the testbench, printed in plain SystemVerilog. Another class can
// replace it: see MbHost::set_hooks.
class MbHooks;
    // Number of reports so far with severity error or fatal.
    int unsigned errors;

    virtual function void report(mb_severity_e severity, string id, string text);
        if (severity >= MB_ERROR)
            errors++;
        case (severity)
            MB_INFO: $display("Info: %s: %s", id, text);
            MB_WARNING: $warning("%s: %s", id, text);
            MB_ERROR: `MB_SHOW_ERROR({id, ": ", text});
            default: show_fatal({id, ": ", text});
        endcase
    endfunction

    // Ends the run. `$fatal` may end the process at once, before the waves of this time are
    // written, so a rerun ends by `$finish`.
    local function void show_fatal(string text);
        if (!MbHost::get().is_rerun())
            $fatal(1, "%s", text);
        else begin
            `MB_SHOW_ERROR(text);
            $finish;
        end
    endfunction

    // Prints a line of firmware's text.
    virtual function void line(string ch, string text);
        $display("[%s] %s", ch, text);
    endfunction

    // Handles the exit of a channel.
    virtual function void exited(string ch, int unsigned code);
        if (code == 0)
            report(MB_INFO, ch, "exited with 0");
        else
            report(MB_ERROR, ch, $sformatf("exited with %0d", code));
    endfunction

    // Handles the start or the end of service.
    virtual function void serving(bit on);
    endfunction

    // Starts the detection of failures; called if there are snapshots. Returns true if this object
    // calls MbHost::run_failed for each reported failure, from the host and others. Otherwise the
    // host calls it for its own failures.
    virtual function bit watch_failures();
        return 0;
    endfunction

    // Observes a served request, with MB_OBSERVE_SERVED only. `result` is valid if `answered` is
    // set.
    virtual function void served(
        string ch, int unsigned slot, int unsigned action, int unsigned words, longint unsigned args[20],
        int unsigned ticks, bit answered, longint unsigned result);
    endfunction

    // Observes a write of the host to memory, with MB_OBSERVE_WRITTEN only. The first `len` bytes
    // are valid.
    virtual function void written(string space, longint unsigned addr, int unsigned len, byte unsigned data[64]);
    endfunction

    // Returns the exit status of the process for a failed run, unless MbHost::failed_status
    // overrides it. 0 leaves it to the simulator.
    virtual function int failed_status();
        return 1;
    endfunction

    // Returns true while nothing has failed.
    virtual function bit passed();
        return errors == 0;
    endfunction
endclass
