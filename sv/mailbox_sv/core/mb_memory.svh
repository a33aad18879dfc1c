// Black-box memory. A subclass defines `write` and `read` of a byte; blocks are accessed by bytes
// unless it overrides them.
virtual class MbMemoryOf #(type BASE = MbObject) extends BASE implements MbAddressable;
    function new(string name = "");
        super.new(name);
    endfunction

    virtual function string get_name();
        return super.get_name();
    endfunction

    pure virtual function void write(`MB_PTR addr, byte unsigned data);
    pure virtual function void read(`MB_PTR addr, output byte unsigned data);

    virtual function void write_block(`MB_PTR addr, int unsigned len, byte unsigned data[64]);
        for (int unsigned i = 0; i < len; i++)
            write(addr + mb_ptr_t'(i), data[i]);
    endfunction

    virtual function void read_block(`MB_PTR addr, int unsigned len, output byte unsigned data[64]);
        for (int unsigned i = 0; i < len; i++)
            read(addr + mb_ptr_t'(i), data[i]);
    endfunction
endclass

// Memory without UVM.
typedef MbMemoryOf#(MbObject) MbMemory;
