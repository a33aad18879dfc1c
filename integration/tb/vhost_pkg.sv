// The functions of vhost that this testbench calls. `mb_init` is imported where the exports are: see host.sv.
package vhost_pkg;
    // What one poll of a method answers.
    typedef enum int unsigned {
        READY     = 0,
        PENDING   = 1,
        NO_METHOD = 2,
        FAILED    = 3
    } poll_e;

    import "DPI-C" context function int mb_tick();
    import "DPI-C" context function void mb_notify();
    import "DPI-C" context function void mb_shutdown();
    import "DPI-C" context function string mb_status();

    import "DPI-C" context function void mb_get_space(input string ch, output string space);
    import "DPI-C" context function void mb_backdoor_read_string(
        input string space, input longint unsigned addr, output string data);
    import "DPI-C" context function void mb_backdoor_write_string(
        input string space, input longint unsigned addr, input string data);
endpackage
