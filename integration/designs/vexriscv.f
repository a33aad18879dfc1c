// VexRiscv with a write-through data cache (its package has the Verilog), RAM in a C model and a scratch memory in SystemVerilog.
--top-module testbench
-Wno-WIDTH
-Wno-CASEINCOMPLETE
-Wno-UNOPTFLAT
${VEXRISCV}/VexRiscv_Full.v
../rtl/vexriscv.sv
../rtl/ram.sv
../rtl/ram.cpp
../rtl/scratch.sv
../tb/vhost_pkg.sv
../tb/host.sv
../tb/monitor.sv
../tb/yardstick.sv
../tb/yardstick.cpp
../tb/testbench.sv
../tb/main.cpp
