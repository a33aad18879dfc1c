// Three cores under a UVM testbench, with UVM 1800.2-2020. A test is chosen by +UVM_TESTNAME: uvm/tests.svh has them.
-F cluster-rtl.f
-F uvm-2020.f
../../sv/mailbox_sv/mailbox_uvm_pkg.sv
-F cluster-uvm.f
