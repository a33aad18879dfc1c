// The cluster without UVM, with waves in another format than that of cluster-plain.
-F cluster-rtl.f
--trace-fst --trace-depth 3
+define+FST
../tb/waves.cpp
-MAKEFLAGS OPT_FAST=-O1
../uvm/plain_pkg.sv
../uvm/plain_testbench.sv
