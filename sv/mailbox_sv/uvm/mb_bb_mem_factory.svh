// The black-box memories that the host is to find.
class MbBBMemFactory;
    local static MbBBMemFactory one;

    static function MbBBMemFactory get();
        if (one == null)
            one = new;
        return one;
    endfunction

    function void registery(MbBBMem mem);
        MbHost::get().register_memory(mem);
    endfunction
endclass
