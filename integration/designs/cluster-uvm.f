// The UVM testbench of the cluster.
+incdir+../uvm
../../sv/mailbox_sv/mailbox_uvm_pkg.sv
../uvm/cluster_pkg.sv
../uvm/testbench.sv
