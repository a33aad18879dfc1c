// Snapshots of the simulation: copies of its process that sleep. The first failure of a run wakes
// the newest one, which runs again from where it was taken; `woken` is called there first.
// MbHost::set_snapshots takes one. The process must have one thread.
//
//   class Waves extends MbSnapshots;
//       virtual function void woken();
//           $dumpfile("rerun.vcd");
//           $dumpvars();
//       endfunction
//   endclass
class MbSnapshots;
    // Ticks from one snapshot to the next, and number of snapshots to keep.
    longint unsigned every;
    int unsigned     keep;
    // Ticks of a rerun after its first failure; then it ends by $finish. 0: to its own end.
    int unsigned     linger = 1000;
    // True in a rerun.
    bit              is_rerun;
    // Exit status of the rerun, in the run that has failed; -1 while there is none.
    int              status = -1;

    // The run has failed.
    local bit          has_failed;
    // Ticks since then.
    local int unsigned since;

    function new(longint unsigned every, int unsigned keep = 2);
        this.every = every;
        this.keep = keep;
    endfunction

    // Called once in a snapshot that was woken, before it continues: to switch waves on, or to
    // report more.
    virtual function void woken();
    endfunction

    // Called at the end of a rerun, before the library may end the process: to write waves.
    virtual function void ending();
        // The second for Verilator, where the first does nothing.
        $dumpflush();
        $fflush();
    endfunction

    // Notes a failure. The first one of a run returns when the rerun has ended; in a rerun it
    // returns at once.
    function void failed();
        if (has_failed)
            return;
        has_failed = 1;
        if (!is_rerun)
            status = mb_rerun();
    endfunction

    // Begins to take snapshots. For MbHost.
    function void start();
        void'(mb_snapshots(every, keep));
    endfunction

    // Follows a tick of the library, in which this process may have been woken. For MbHost.
    function void ticked();
        if (is_rerun) begin
            if (has_failed && linger != 0) begin
                since++;
                if (since == linger)
                    $finish;
            end
        end else if (!has_failed && mb_is_rerun() != 0) begin
            is_rerun = 1;
            woken();
        end
    endfunction
endclass
