// Black-box memory in an associative array: unwritten bytes are zero.
class MbSparseOf #(type BASE = MbMemory) extends BASE;
    protected byte unsigned bytes[mb_ptr_t];

    function new(string name = "");
        super.new(name);
    endfunction

    virtual function void write(`MB_PTR addr, byte unsigned data);
        bytes[addr] = data;
    endfunction

    virtual function void read(`MB_PTR addr, output byte unsigned data);
        data = bytes.exists(addr) ? bytes[addr] : 0;
    endfunction
endclass

// Memory without UVM.
typedef MbSparseOf#(MbMemory) MbSparse;
