// Prints the start of a rerun. Waves would be enabled here.
class ReportedSnapshots extends MbSnapshots;
    function new(longint unsigned every);
        super.new(every);
        linger = 100;
    endfunction

    virtual function void woken();
        `uvm_info("ReportedSnapshots", $sformatf("runs again from time %0t", $time), UVM_LOW)
    endfunction
endclass

// Base class of all tests: methods, memories, a monitor.
//
//   +snapshots=N  a snapshot every N ticks; a failed run is rerun from the newest one
class ClusterTest extends uvm_test;
    `uvm_component_utils(ClusterTest)

    MailboxMonitor monitor;

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual function void build_phase(uvm_phase phase);
        Mailbox mb = MbRoot::mb();
        AddCall add = AddCall::type_id::create("add");
        WaitCall wait_ = WaitCall::type_id::create("wait");
        ClocksCall clocks = ClocksCall::type_id::create("clocks");
        GreetCall greet = GreetCall::type_id::create("greet");
        SequenceCall sequence_ = SequenceCall::type_id::create("sequence");
        TotalCall total = TotalCall::type_id::create("total");
        SessionCall session = SessionCall::type_id::create("session");
        // The memory behind the window.
        MbSparseMem scratch = new("scratch");
        longint unsigned every;
        super.build_phase(phase);
        mb.registery_method(add);
        mb.registery_method(wait_);
        mb.registery_method(clocks);
        mb.registery_method(greet);
        mb.registery_method(sequence_);
        mb.registery_method(total);
        mb.registery_method(session);
        MbBBMemFactory::get().registery(scratch);
        mb.hooks.lines_are_reports = 1;
        mb.host.failed_status = 1;
        if ($value$plusargs("snapshots=%d", every) != 0) begin
            ReportedSnapshots snapshots = new(every);
            mb.host.set_snapshots(snapshots);
        end
        monitor = MailboxMonitor::type_id::create("monitor", this);
    endfunction

    // The run ends when all channels have exited, without an objection of this class.
    virtual task run_phase(uvm_phase phase);
        MbRoot::mb().start();
    endtask
endclass
