// Registry of the black-box memories for the host.
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

    // Accesses a byte of a memory by name; the address is relative to its first byte. Fatal if
    // there is no such memory.
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
