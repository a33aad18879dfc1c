// Something with a name. In a UVM testbench uvm_object stands in its place.
virtual class MbObject;
    local string name;

    function new(string name = "");
        this.name = name;
    endfunction

    virtual function string get_name();
        return name;
    endfunction
endclass
