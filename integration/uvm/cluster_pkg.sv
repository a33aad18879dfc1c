// UVM testbench of the cluster: methods of firmware, observers, and tests. With OWN_PACKAGE the
// mailbox's classes are in this package, as in testbenches without mailbox_uvm_pkg.
package cluster_pkg;
    import uvm_pkg::*;
    `include "uvm_macros.svh"
    `include "mailbox.svh"
`ifdef OWN_PACKAGE
    `include "mailbox.sv"
`else
    import mailbox_core_pkg::*;
    import mailbox_uvm_pkg::*;
`endif

    // Number of cores, as in rtl/cluster.sv.
`ifdef SINGLE_CORE
    parameter int        CORES = 1;
`else
    parameter int        CORES = 3;
`endif
    parameter bit [31:0] RAM = 32'h1_0000;

    import "DPI-C" function real cpu_seconds();

    `include "add_call.svh"
    `include "wait_call.svh"
    `include "clocks_call.svh"
    `include "greet_call.svh"
    `include "no_yield_call.svh"
    `include "second_yield_call.svh"
    `include "sequence_call.svh"
    `include "session_call.svh"
    `include "total_call.svh"
    `include "call_order.svh"
    `include "sum_limit.svh"
    `include "shadow.svh"

    // Observer of the cores' stores; null if there is none.
    Shadow bus;

    `include "cluster_test.svh"
    `include "tests.svh"
endpackage
