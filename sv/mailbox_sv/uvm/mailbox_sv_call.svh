// A method that firmware calls by the name of the object.
//
// Extend it by `parse_args` and `execute`, and by `uvm_object_utils`: each channel has an instance of its own, made by
// `clone`.
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
