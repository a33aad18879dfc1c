// Three cores under a testbench without UVM. What must be as it must, is checked by firmware and by expected output.
-F cluster-rtl.f
--trace-vcd --trace-depth 3
../uvm/plain_pkg.sv
../uvm/plain_testbench.sv
