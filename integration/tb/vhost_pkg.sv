// Functions of vhost that this testbench calls. `mb_init` is imported beside the exports: see
// host.sv.
package vhost_pkg;
    // Status of a poll of a method.
    typedef enum int unsigned {
        READY     = 0,
        PENDING   = 1,
        NO_METHOD = 2,
        FAILED    = 3
    } poll_e;

    // Severity of a report that ends service.
    localparam int FATAL = 3;

    import "DPI-C" context function int mb_tick();
    import "DPI-C" context function void mb_notify();
    import "DPI-C" context function void mb_shutdown();
    import "DPI-C" context function string mb_last_error();
    import "DPI-C" context function string mb_status();
    import "DPI-C" context function int mb_watchdog(input longint unsigned ticks, input int severity);
    import "DPI-C" context function int mb_snapshots(input longint unsigned ticks, input int unsigned keep);
    import "DPI-C" context function int mb_rerun();
    import "DPI-C" context function int mb_is_rerun();
    import "DPI-C" context function int mb_runs(input int unsigned count, input int unsigned parallel);
    import "DPI-C" context function int mb_run_status(input int unsigned run);
    import "DPI-C" context function int mb_set_file_root(input string dir);

    import "DPI-C" context function void mb_get_space(input string ch, output string space);
    import "DPI-C" context function void mb_backdoor_read_string(
        input string space, input longint unsigned addr, output string data);
    import "DPI-C" context function void mb_backdoor_write_string(
        input string space, input longint unsigned addr, input string data);
    import "DPI-C" context function void mb_backdoor_read_u8(
        input string space, input longint unsigned addr, output byte unsigned data);
    import "DPI-C" context function void mb_backdoor_read_u16(
        input string space, input longint unsigned addr, output shortint unsigned data);
    import "DPI-C" context function void mb_backdoor_read_u32(
        input string space, input longint unsigned addr, output int unsigned data);
    import "DPI-C" context function void mb_backdoor_read_u64(
        input string space, input longint unsigned addr, output longint unsigned data);
    import "DPI-C" context function void mb_backdoor_write_u8(
        input string space, input longint unsigned addr, input byte unsigned data);
    import "DPI-C" context function void mb_backdoor_write_u16(
        input string space, input longint unsigned addr, input shortint unsigned data);
    import "DPI-C" context function void mb_backdoor_write_u32(
        input string space, input longint unsigned addr, input int unsigned data);
    import "DPI-C" context function void mb_backdoor_write_u64(
        input string space, input longint unsigned addr, input longint unsigned data);

    import "DPI-C" context function int mb_backdoor_read_block(
        input string space, input longint unsigned addr, output byte unsigned data[]);
    import "DPI-C" context function int mb_backdoor_write_block(
        input string space, input longint unsigned addr, input byte unsigned data[]);
endpackage
