// Method that firmware calls by the name of the object.
//
// A subclass defines `parse_args` and `execute`, and has `uvm_object_utils`: each channel has its
// own instance, created by `clone`.
virtual class MailboxSvCall extends MbMethodOf#(uvm_object);
    function new(string name = "MailboxSvCall");
        super.new(name);
    endfunction

    virtual function MbCallable clone_for_channel();
        uvm_object    copy = clone();
        MailboxSvCall method;
        if (copy == null || $cast(method, copy) == 0)
            return null;
        return method;
    endfunction
endclass
