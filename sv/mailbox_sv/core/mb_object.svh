// Base class with a name. UVM testbenches have uvm_object in its place.
virtual class MbObject;
    local string name;

    function new(string name = "");
        this.name = name;
    endfunction

    virtual function string get_name();
        return name;
    endfunction
endclass
