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

    // Accesses a byte of a memory by its name; the address counts from its first byte. Fatal where there is no such memory.
    function void write(string name, `MB_PTR addr, byte unsigned data);
        MbAddressable mem = MbHost::get().memory(name);
        if (mem != null)
            mem.write(addr, data);
    endfunction

    function void read(string name, `MB_PTR addr, output byte unsigned data);
        MbAddressable mem = MbHost::get().memory(name);
        data = 0;
        if (mem != null)
            mem.read(addr, data);
    endfunction
endclass
