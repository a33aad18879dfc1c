// Notifications of the host to the testbench, shown in plain SystemVerilog. Another class can replace it: see
// MbHost::set_hooks.
class MbHooks;
    // Errors and worse so far.
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

    // Ends the run. `$fatal` may end the process at once, before the waves of this time are written: a rerun ends by `$finish`.
    local function void show_fatal(string text);
        if (!MbHost::get().is_rerun())
            $fatal(1, "%s", text);
        else begin
            `MB_SHOW_ERROR(text);
            $finish;
        end
    endfunction

    // A line of text from firmware.
    virtual function void line(string ch, string text);
        $display("[%s] %s", ch, text);
    endfunction

    // A channel has exited.
    virtual function void exited(string ch, int unsigned code);
        if (code == 0)
            report(MB_INFO, ch, "exited with 0");
        else
            report(MB_ERROR, ch, $sformatf("exited with %0d", code));
    endfunction

    // Service begins or is over.
    virtual function void serving(bit on);
    endfunction

    // Watches for failures, from now on: called if there are snapshots. True if this calls MbHost::run_failed for each
    // failure that is reported, by the host or others; otherwise the host does so for its own.
    virtual function bit watch_failures();
        return 0;
    endfunction

    // A request was served: only with MB_OBSERVE_SERVED. `result` is valid if it was `answered`.
    virtual function void served(
        string ch, int unsigned slot, int unsigned action, int unsigned words, longint unsigned args[20],
        int unsigned ticks, bit answered, longint unsigned result);
    endfunction

    // The host has written memory: only with MB_OBSERVE_WRITTEN. The first `len` bytes are valid.
    virtual function void written(string space, longint unsigned addr, int unsigned len, byte unsigned data[64]);
    endfunction

    // Exit status of the process for a failed run, unless MbHost::failed_status is another. 0 leaves it to the
    // simulator.
    virtual function int failed_status();
        return 1;
    endfunction

    // True while nothing has failed.
    virtual function bit passed();
        return errors == 0;
    endfunction
endclass
