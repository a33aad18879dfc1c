// Scoreboard: each channel must call exactly these methods in this order.
class CallOrder extends uvm_scoreboard;
    `uvm_component_utils(CallOrder)

    uvm_analysis_imp #(MailboxItem, CallOrder) served;

    // Expected remaining calls, by channel.
    local string expected[string][$];

    function new(string name, uvm_component parent);
        super.new(name, parent);
        served = new("served", this);
    endfunction

    function void expect_call(string channel, string method);
        expected[channel].push_back(method);
    endfunction

    virtual function void write(MailboxItem item);
        string next;
        if (item.action != MB_CALL || !expected.exists(item.channel))
            return;
        if (expected[item.channel].size() != 0)
            next = expected[item.channel].pop_front();
        if (item.method != next)
            `uvm_error("CallOrder", $sformatf("`%s` was to be called, and not %s", next, item.convert2string()))
    endfunction

    virtual function void check_phase(uvm_phase phase);
        foreach (expected[channel])
            if (expected[channel].size() != 0)
                `uvm_error("CallOrder", $sformatf(
                    "%s: `%s` and %0d more were not called", channel, expected[channel][0], expected[channel].size() - 1))
    endfunction
endclass
