// Classes of the mailbox for UVM testbenches. Include it at compilation-unit scope or in a package;
// mailbox_uvm_pkg.sv is such a package. `import` of that package alone also imports the core's
// functions, types and classes.
//
// There is one class Mailbox. If mailbox_uvm_pkg is compiled before, as by mailbox_if.sv after
// uvm_pkg.sv, every scope that includes this file imports the classes from it. Otherwise they are
// in the first scope that includes it; any other scope gets the core, and imports the classes from
// the first one.
`include "mailbox.svh"
`ifndef UVM_MACROS_SVH
`include "uvm_macros.svh"
`endif

// Macros are shared between files in Verilator; other simulators show the line of the import.
`ifdef VERILATOR
`ifndef MAILBOX_CORE_PKG_SV
`error "compile mailbox_if.sv before the file that includes mailbox.sv"
`endif
`endif

import uvm_pkg::*;
import mailbox_core_pkg::*; // compile mailbox_if.sv before the file that includes mailbox.sv
`include "uvm/mb_reexports.svh"
`include "mb_socket.sv"

`ifndef MAILBOX_SV
`define MAILBOX_SV

`include "uvm/mailbox_sv_call.svh"
`include "uvm/mb_bb_mem.svh"
`include "uvm/mb_bb_mem_factory.svh"
`include "uvm/mailbox_item.svh"
`include "uvm/mailbox_write.svh"
`include "uvm/mailbox_monitor.svh"
`include "uvm/mailbox_catcher.svh"
`include "uvm/mailbox_hooks.svh"
`include "uvm/mailbox_ch.svh"
`include "uvm/mailbox_object.svh"
`include "uvm/mb_root.svh"

`elsif MAILBOX_CLASSES_IN_UVM_PKG

import mailbox_uvm_pkg::*;
export mailbox_uvm_pkg::MailboxSvCall;
export mailbox_uvm_pkg::MbBBMem;
export mailbox_uvm_pkg::MbBBMemFactory;
export mailbox_uvm_pkg::MailboxItem;
export mailbox_uvm_pkg::MailboxWrite;
export mailbox_uvm_pkg::MailboxMonitor;
export mailbox_uvm_pkg::MailboxCatcher;
export mailbox_uvm_pkg::MailboxHooks;
export mailbox_uvm_pkg::MailboxCh;
export mailbox_uvm_pkg::Mailbox;
export mailbox_uvm_pkg::MbRoot;

`endif
