// Access to the Mailbox, of which there is one.
class MbRoot;
    local static Mailbox one;

    static function Mailbox mb();
        if (one == null)
            one = Mailbox::type_id::create("mailbox");
        return one;
    endfunction
endclass
