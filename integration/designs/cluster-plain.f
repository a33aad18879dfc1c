// Three cores under a testbench without UVM. What must be as it must, is checked by firmware and by expected output. The upper levels have
// waves, for runs that fail; no run is long enough for more optimisation to pay.
-F cluster-rtl.f
--trace-vcd --trace-depth 3
-MAKEFLAGS OPT_FAST=-O1
../uvm/plain_pkg.sv
../uvm/plain_testbench.sv
