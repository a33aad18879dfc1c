// Where the one Mailbox is found.
class MbRoot;
    local static Mailbox one;

    static function Mailbox mb();
        if (one == null)
            one = Mailbox::type_id::create("mailbox");
        return one;
    endfunction
endclass
