// What an importer of the package that mailbox.sv is in gets of mailbox_core_pkg: its functions, types and classes. Its enum literals and
// parameters are left to `import mailbox_core_pkg::*`, since an exported name is one that the package can't declare itself.
//
// A wildcard would export only the names that the package happens to use. Verilator can not export classes with parameters: MbMethodOf and
// the like are not here.
export mailbox_core_pkg::mb_init;
export mailbox_core_pkg::mb_tick;
export mailbox_core_pkg::mb_notify;
export mailbox_core_pkg::mb_shutdown;
export mailbox_core_pkg::mb_quit;
export mailbox_core_pkg::mb_set_scope;
export mailbox_core_pkg::mb_observe;
export mailbox_core_pkg::mb_watchdog;
export mailbox_core_pkg::mb_attach;
export mailbox_core_pkg::mb_fork_prepare;
export mailbox_core_pkg::mb_fork_parent;
export mailbox_core_pkg::mb_fork_child;
export mailbox_core_pkg::mb_snapshots;
export mailbox_core_pkg::mb_rerun;
export mailbox_core_pkg::mb_is_rerun;
export mailbox_core_pkg::mb_runs;
export mailbox_core_pkg::mb_run_status;
export mailbox_core_pkg::mb_set_file_root;
export mailbox_core_pkg::mb_last_error;
export mailbox_core_pkg::mb_status;
export mailbox_core_pkg::mb_get_space;
export mailbox_core_pkg::mb_backdoor_write_u8;
export mailbox_core_pkg::mb_backdoor_write_u16;
export mailbox_core_pkg::mb_backdoor_write_u32;
export mailbox_core_pkg::mb_backdoor_write_u64;
export mailbox_core_pkg::mb_backdoor_read_u8;
export mailbox_core_pkg::mb_backdoor_read_u16;
export mailbox_core_pkg::mb_backdoor_read_u32;
export mailbox_core_pkg::mb_backdoor_read_u64;
export mailbox_core_pkg::mb_backdoor_write_string;
export mailbox_core_pkg::mb_backdoor_read_string;
export mailbox_core_pkg::mb_backdoor_write_block;
export mailbox_core_pkg::mb_backdoor_read_block;
export mailbox_core_pkg::mb_load_elf;
export mailbox_core_pkg::__mb_call;
export mailbox_core_pkg::mb_server_run;
export mailbox_core_pkg::mb_server_run_c;
export mailbox_core_pkg::MbObject;
export mailbox_core_pkg::MbHooks;
export mailbox_core_pkg::MbCallable;
export mailbox_core_pkg::MbMethod;
export mailbox_core_pkg::MbAddressable;
export mailbox_core_pkg::MbMemory;
export mailbox_core_pkg::MbSparse;
export mailbox_core_pkg::MbChannel;
export mailbox_core_pkg::MbHost;
export mailbox_core_pkg::mb_status_e;
export mailbox_core_pkg::mb_severity_e;
export mailbox_core_pkg::mb_action_e;
export mailbox_core_pkg::mb_codes_t;
export mailbox_core_pkg::mb_ptr_t;
export mailbox_core_pkg::mb_args_t;
