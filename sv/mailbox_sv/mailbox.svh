// Macros of the mailbox's SystemVerilog side.
`ifndef MAILBOX_SVH
`define MAILBOX_SVH

// Addresses and arguments, whatever the pointer width of a channel.
`define MB_PTR longint unsigned

// Arguments that a method is always given.
`define SV_CALL_MAX_ARGS 16

// Shows an error without ending the run. Verilator's $error ends it, unless +verilator+error+limit+N is given.
`ifdef VERILATOR
`define MB_SHOW_ERROR(TEXT) $display("%%Error: %s", TEXT)
`else
`define MB_SHOW_ERROR(TEXT) $error("%s", TEXT)
`endif

`endif
