// User packages that include the mailbox's files, in each documented way: an `import` of one
// package is enough. Only compiled, by xtask/check-sv.py.
`include "uvm_macros.svh"

`ifdef SOCKETS_FIRST
// Sockets only, before all other files of the mailbox.
package terminal_pkg;
    `include "mb_socket.sv"
endpackage
`endif

package my_pkg;
    import uvm_pkg::*;
`ifdef SOCKETS_AGAIN
    `include "mb_socket.sv"
`endif
    `include "mailbox.sv"
`ifdef SOCKETS_AGAIN
    `include "mb_socket.sv"
`endif
`ifdef CLASSES_FROM_PACKAGE
    import mailbox_uvm_pkg::*;
`endif

    class Five extends MailboxSvCall;
        `uvm_object_utils(Five)

        function new(string name = "five");
            super.new(name);
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
        endfunction

        protected virtual task execute();
            yield(5);
        endtask
    endclass
endpackage

// A second package, with the classes of the first.
package other_pkg;
    `include "mailbox.sv"
    import my_pkg::Five;

    function automatic Five another();
        return Five::type_id::create("another");
    endfunction

`ifndef CLASSES_OF_THE_FIRST
    // A class of its own that extends them.
    class Six extends MailboxSvCall;
        `uvm_object_utils(Six)

        function new(string name = "six");
            super.new(name);
        endfunction

        protected virtual function void parse_args(string space, bit [31:0] arg_len, `MB_PTR args[]);
        endfunction

        protected virtual task execute();
            yield(MbRoot::mb() == null ? 0 : 6);
        endtask
    endclass
`endif
endpackage

module user;
    import my_pkg::*;

    int          status;
    int unsigned word;
    string       text;
    chandle      handle;
    MbSocket     socket;
    Five         five;

    initial begin
        five = Five::type_id::create("five");
        status = mb_init("mem.yaml", "mailbox.yaml", "");
        mb_backdoor_read_u32("cpu", 0, word);
        mb_backdoor_write_string("cpu", 0, "text");
        status = mb_load_elf("cpu", "firmware.elf");
        mb_get_space("cpu", text);
        handle = c_skt_open("terminal", 0);
        status = c_skt_write_u8(handle, 1, 8'd5);
        c_skt_close(handle);
        socket = new("terminal");
        MbHost::get().register_method(five);
        void'(mb_watchdog(100, MB_FATAL));
        mb_observe(MB_OBSERVE_SERVED | MB_OBSERVE_WRITTEN);
        if (mb_status_e'(status) == MB_PENDING && mb_action_e'(word) == MB_CALL)
            status = -MB_EFAULT;
        mb_server_run();
        mb_shutdown();
    end
endmodule

module of_the_other_package;
    import other_pkg::*;

    MbSocket socket;
    int      status;

    initial begin
        status = mb_tick();
        status = c_skt_port(c_skt_open("terminal", 0));
        socket = new(another().get_name());
    end
endmodule

`ifdef SOCKETS_FIRST
module terminal;
    import terminal_pkg::*;

    // The class is the same in all packages.
    MbSocket         socket = new("terminal");
    my_pkg::MbSocket same = socket;
    int              port = c_skt_port(c_skt_open("terminal", 0));
endmodule
`endif

`ifdef SOCKETS_IN_MODULE
// A file with exports is not for a module. The error names the right one.
module includes_sockets;
    `include "mb_socket.sv"
endmodule
`endif
