// Reports and objections of UVM for notifications of the host.
class MailboxHooks extends MbHooks;
    // True if firmware's lines are reports, with the channel as id.
    bit lines_are_reports;
    // Verbosity of reports with severity info.
    int verbosity = UVM_LOW;

    // Object that raises the objection, and the phase in which it is raised; null while there is
    // none.
    local uvm_object objector;
    local uvm_phase  objected_phase;
    // Null unless failures are detected.
    local MailboxCatcher catcher;

    function new(uvm_object objector);
        this.objector = objector;
    endfunction

    virtual function void report(mb_severity_e severity, string id, string text);
        case (severity)
            MB_INFO: `uvm_info(id, text, verbosity)
            MB_WARNING: `uvm_warning(id, text)
            MB_ERROR: `uvm_error(id, text)
            default: `uvm_fatal(id, text)
        endcase
    endfunction

    virtual function void line(string ch, string text);
        if (lines_are_reports)
            `uvm_info(ch, text, UVM_NONE)
        else
            super.line(ch, text);
    endfunction

    // Raises an objection while channels are served, which keeps the run phase open.
    virtual function void serving(bit on);
        if (on && objected_phase == null) begin
            uvm_domain common = uvm_domain::get_common_domain();
            objected_phase = common.find(uvm_run_phase::get());
            objected_phase.raise_objection(objector, "channels are served");
        end else if (!on && objected_phase != null) begin
            objected_phase.drop_objection(objector, "service is over");
            objected_phase = null;
        end
    endfunction

    // Adds the catcher behind those of the testbench, which may demote an error.
    virtual function bit watch_failures();
        if (catcher == null) begin
            catcher = new("catcher");
            uvm_report_cb::add(null, catcher);
        end
        return 1;
    endfunction

    virtual function void served(
        string ch, int unsigned slot, int unsigned action, int unsigned words, longint unsigned args[20],
        int unsigned ticks, bit answered, longint unsigned result);
        MailboxItem item = MailboxItem::type_id::create("item");
        item.channel = ch;
        item.slot = slot;
        item.action = action;
        for (int i = 0; i < 20 && i < int'(words); i++)
            item.args.push_back(args[i]);
        // The host has reported an unknown name, which is not looked up again.
        if (action == MB_CALL && words != 0 && int'(result) != -MB_EFAULT)
            mb_backdoor_read_string(MbHost::get().channel(ch).get_space(), args[0], item.method);
        item.ticks = ticks;
        item.answered = answered;
        item.result = result;
        item.served_at = $realtime;
        MailboxMonitor::show_served(item);
    endfunction

    virtual function void written(string space, longint unsigned addr, int unsigned len, byte unsigned data[64]);
        MailboxWrite item = MailboxWrite::type_id::create("item");
        item.space = space;
        item.addr = addr;
        item.data = new[len];
        foreach (item.data[i])
            item.data[i] = data[i];
        item.written_at = $realtime;
        MailboxMonitor::show_written(item);
    endfunction

    // Returns 0: UVM counts errors, and flows with UVM expect the simulator's own exit status.
    virtual function int failed_status();
        return 0;
    endfunction

    virtual function bit passed();
        uvm_report_server server = uvm_report_server::get_server();
        return server.get_severity_count(UVM_ERROR) == 0 && server.get_severity_count(UVM_FATAL) == 0;
    endfunction
endclass
