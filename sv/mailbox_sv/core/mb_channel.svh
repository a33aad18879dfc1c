// One channel: its space, and its own instances of the methods.
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

    // The value of a symbol of firmware's image, such as the address of a variable; 0 if there is none, which the library reports.
    function longint unsigned get_symbol(string symbol);
        longint unsigned value, size;
        void'(mb_symbol(name, symbol, value, size));
        return value;
    endfunction

    // The space that firmware's pointers point into.
    function string get_space();
        return space;
    endfunction

    // Adds a method: an instance of its own, for this channel.
    function void add(MbCallable method);
        method.set_channel(name);
        methods[method.get_name()] = method;
    endfunction

    // The method of a name; null where there is none.
    function MbCallable method(string name);
        return methods.exists(name) ? methods[name] : null;
    endfunction

    // Starts the methods' execution, ahead of the first call.
    task run();
        foreach (methods[name])
            methods[name].run();
    endtask
endclass
