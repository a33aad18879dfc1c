// Macros of the mailbox's SystemVerilog code. MB_PTR and SV_CALL_MAX_ARGS may be predefined, with
// the same value for all files.
`ifndef MAILBOX_SVH
`define MAILBOX_SVH

// Type of addresses and arguments for all pointer widths. A narrower type truncates both.
`ifndef MB_PTR
`define MB_PTR longint unsigned
`endif

// Number of argument words that parse_args receives. Firmware passes at most 16.
`ifndef SV_CALL_MAX_ARGS
`define SV_CALL_MAX_ARGS 16
`endif

// Prints an error without ending the run. Verilator's $error ends it, unless
// +verilator+error+limit+N is given.
`ifdef VERILATOR
`define MB_SHOW_ERROR(TEXT) $display("%%Error: %s", TEXT)
`else
`define MB_SHOW_ERROR(TEXT) $error("%s", TEXT)
`endif

`endif
