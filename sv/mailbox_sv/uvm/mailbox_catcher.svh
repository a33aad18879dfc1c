// Notifies the host of each UVM_ERROR and UVM_FATAL from any source, before it is printed.
class MailboxCatcher extends uvm_report_catcher;
    `uvm_object_utils(MailboxCatcher)

    function new(string name = "MailboxCatcher");
        super.new(name);
    endfunction

    virtual function action_e catch();
        if (get_severity() inside {UVM_ERROR, UVM_FATAL})
            MbHost::get().run_failed();
        return THROW;
    endfunction
endclass
