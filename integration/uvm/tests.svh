// The cores use the host at the same time, each at its own pace: calls come in order, and memory
// has the expected content.
class ConcurrentCallsTest extends ClusterTest;
    `uvm_component_utils(ConcurrentCallsTest)

    CallOrder order;
    Shadow    shadow;

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual function void build_phase(uvm_phase phase);
        super.build_phase(phase);
        order = CallOrder::type_id::create("order", this);
        shadow = Shadow::type_id::create("shadow", this);
        bus = shadow;
    endfunction

    virtual function void connect_phase(uvm_phase phase);
        monitor.served_ap.connect(order.served);
        monitor.written_ap.connect(shadow.analysis_export);
        for (int core = 0; core < CORES; core++) begin
            repeat (4) begin
                order.expect_call($sformatf("cpu%0d", core), "wait");
                order.expect_call($sformatf("cpu%0d", core), "add");
            end
            order.expect_call($sformatf("cpu%0d", core), "add");
        end
    endfunction

    virtual task run_phase(uvm_phase phase);
        mb_codes_t codes;
        MbRoot::mb().start();
        MbRoot::mb().wait_finish_all(codes);
        foreach (codes[channel])
            `uvm_info("ConcurrentCallsTest", $sformatf("%s has exited with %0d", channel, codes[channel]), UVM_LOW)
        `uvm_info("ConcurrentCallsTest", $sformatf("%0d channels", codes.size()), UVM_LOW)
    endtask

    virtual function void check_phase(uvm_phase phase);
        if (shadow.writes == 0)
            `uvm_error("ConcurrentCallsTest", "nobody has told of a write")
    endfunction
endclass

// A checker reports an error of firmware.
class ScoreboardErrorTest extends ClusterTest;
    `uvm_component_utils(ScoreboardErrorTest)

    SumLimit limit;

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual function void build_phase(uvm_phase phase);
        super.build_phase(phase);
        limit = SumLimit::type_id::create("limit", this);
        limit.limit = 44;
    endfunction

    virtual function void connect_phase(uvm_phase phase);
        monitor.served_ap.connect(limit.analysis_export);
    endfunction
endclass

// Firmware that calls a missing method gets an error, and continues.
class MissingMethodTest extends ClusterTest;
    `uvm_component_utils(MissingMethodTest)

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual function void build_phase(uvm_phase phase);
        super.build_phase(phase);
        MbRoot::mb().host.missing_method_is_fatal = 0;
    endfunction
endclass

// execute() of a method returns without a yield.
class NoYieldTest extends ClusterTest;
    `uvm_component_utils(NoYieldTest)

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual function void build_phase(uvm_phase phase);
        NoYieldCall launch = NoYieldCall::type_id::create("launch");
        super.build_phase(phase);
        MbRoot::mb().registery_method(launch);
    endfunction
endclass

// A method yields a second time before the next call.
class SecondYieldTest extends ClusterTest;
    `uvm_component_utils(SecondYieldTest)

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual function void build_phase(uvm_phase phase);
        SecondYieldCall launch = SecondYieldCall::type_id::create("launch");
        super.build_phase(phase);
        MbRoot::mb().registery_method(launch);
    endfunction
endclass

// Functions of testbenches for work that the host does by itself: a channel's methods, and a memory
// by its name.
class EstablishedTest extends ClusterTest;
    `uvm_component_utils(EstablishedTest)

    // Not local: Verilator 5.048 treats local variables as constants behind a loop that sets them
    // by a call.
    local int unsigned     status;
    local longint unsigned result;

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual task run_phase(uvm_phase phase);
        SequenceCall  sequence_ = SequenceCall::type_id::create("mine");
        MailboxCh     channel;
        byte unsigned data;
        MbRoot::mb().start();
        channel = MbRoot::mb().get_ch("cpu0");
        channel.registery(sequence_);
        channel.start();
        for (longint unsigned i = 0; i < 4; i++)
            call_mine(channel, 10 + 10 * (i % 3));
        MbBBMemFactory::get().write("scratch", 'h800, 8'ha5);
        MbBBMemFactory::get().read("scratch", 'h800, data);
        if (data != 8'ha5)
            `uvm_error("EstablishedTest", $sformatf("the memory has %h", data))
        `uvm_info("EstablishedTest", "four calls and a byte", UVM_LOW)
    endtask

    local task call_mine(MailboxCh channel, longint unsigned expected);
        `MB_PTR args[] = new[`SV_CALL_MAX_ARGS];
        do begin
            result = channel.poll("mine", 0, args, status);
            MbRoot::mb().step();
        end while (status == MB_PENDING);
        if (status != MB_READY || result != expected)
            `uvm_error("EstablishedTest", $sformatf("status %0d, result %0d; %0d was expected", status, result, expected))
    endtask
endclass

// The run ends with the first channel that exits.
class FirstExitTest extends ClusterTest;
    `uvm_component_utils(FirstExitTest)

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual task run_phase(uvm_phase phase);
        phase.raise_objection(this);
        fork
            MbRoot::mb().start();
            mb_server_run();
        join_none
        MbRoot::mb().wait_finish();
        phase.drop_objection(this);
    endtask

    virtual function void check_phase(uvm_phase phase);
        if (MbRoot::mb().host.codes.size() != 1)
            `uvm_error("FirstExitTest", $sformatf("%0d channels have exited", MbRoot::mb().host.codes.size()))
    endfunction
endclass

// For measurements: firmware idles for +clocks=N, with service, or without it for +unserved.
class IdleTest extends ClusterTest;
    `uvm_component_utils(IdleTest)

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual task run_phase(uvm_phase phase);
        int unsigned clocks = 100_000;
        real         begun;
        void'($value$plusargs("clocks=%d", clocks));
        phase.raise_objection(this);
        MbRoot::mb().start();
        if ($test$plusargs("unserved") != 0)
            MbRoot::mb().host.stop();
        // After reset and firmware's start.
        #10us;
        begun = cpu_seconds();
        #(10ns * clocks);
        $display("main: %.3f ns per clock", 1.0e9 * (cpu_seconds() - begun) / clocks);
        MbRoot::mb().host.stop();
        phase.drop_objection(this);
    endtask
endclass
