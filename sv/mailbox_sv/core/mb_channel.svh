// Channel, with its space and its own instances of the methods.
class MbChannel;
    local string     name;
    local string     space;
    local MbCallable methods[string];

    function new(string name);
        this.name = name;
        mb_get_space(name, space);
    endfunction

    function string get_name();
        return name;
    endfunction

    // Returns the value of a symbol in firmware's image, such as a variable's address; 0 if there
    // is none, which the library reports.
    function longint unsigned get_symbol(string symbol);
        longint unsigned value, size;
        void'(mb_symbol(name, symbol, value, size));
        return value;
    endfunction

    // Returns the space of firmware's pointers.
    function string get_space();
        return space;
    endfunction

    // Adds a method as an instance for this channel.
    function void add(MbCallable method);
        method.set_channel(name);
        methods[method.get_name()] = method;
    endfunction

    // Returns the method of this name; null if there is none.
    function MbCallable method(string name);
        return methods.exists(name) ? methods[name] : null;
    endfunction

    // Starts the execution of the methods before the first call.
    task run();
        foreach (methods[name])
            methods[name].run();
    endtask
endclass
