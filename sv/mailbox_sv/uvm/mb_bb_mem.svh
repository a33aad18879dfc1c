// Black-box memory, whose name is that in the memory configuration.
virtual class MbBBMem extends MbMemoryOf#(uvm_object);
    function new(string name = "MbBBMem");
        super.new(name);
    endfunction
endclass

// Black-box memory in an associative array.
typedef MbSparseOf#(MbBBMem) MbSparseMem;
