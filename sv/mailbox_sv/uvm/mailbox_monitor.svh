// Publishes served requests and writes of the host. The library notifies it only if a port is
// connected.
class MailboxMonitor extends uvm_monitor;
    `uvm_component_utils(MailboxMonitor)

    // Served requests.
    uvm_analysis_port #(MailboxItem)  served_ap;
    // Writes of the host to simulated memory, in order, beginning with the load of firmware.
    uvm_analysis_port #(MailboxWrite) written_ap;

    local static MailboxMonitor all[$];

    function new(string name, uvm_component parent);
        super.new(name, parent);
        served_ap = new("served_ap", this);
        written_ap = new("written_ap", this);
    endfunction

    virtual function void start_of_simulation_phase(uvm_phase phase);
        super.start_of_simulation_phase(phase);
        all.push_back(this);
        if (served_ap.size() != 0)
            mb_observe(MB_OBSERVE_SERVED);
        if (written_ap.size() != 0)
            mb_observe(MB_OBSERVE_WRITTEN);
    endfunction

    // Prints the status of each channel if a run ends early.
    virtual function void pre_abort();
        if (!MbHost::get().is_done())
            `uvm_info(get_type_name(), {"the channels:\n", mb_status()}, UVM_NONE)
    endfunction

    static function void show_served(MailboxItem item);
        foreach (all[i])
            all[i].served_ap.write(item);
    endfunction

    static function void show_written(MailboxWrite item);
        foreach (all[i])
            all[i].written_ap.write(item);
    endfunction
endclass
