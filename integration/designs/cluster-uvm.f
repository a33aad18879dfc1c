// The UVM testbench of the cluster.
+incdir+../uvm
../uvm/cluster_pkg.sv
../uvm/testbench.sv
