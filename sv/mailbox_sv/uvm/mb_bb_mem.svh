// A black-box memory: its own name is the memory's in the memory configuration.
virtual class MbBBMem extends MbMemoryOf#(uvm_object);
    function new(string name = "MbBBMem");
        super.new(name);
    endfunction
endclass

// One in an associative array.
typedef MbSparseOf#(MbBBMem) MbSparseMem;
