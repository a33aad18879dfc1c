// Checker: each sum must be below this limit.
class SumLimit extends uvm_subscriber #(MailboxItem);
    `uvm_component_utils(SumLimit)

    longint unsigned limit;

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual function void write(MailboxItem t);
        if (t.action == MB_CALL && t.method == "add" && t.result >= limit)
            `uvm_error("SumLimit", $sformatf("%0d is too much: %s", t.result, t.convert2string()))
    endfunction
endclass
