// PicoRV32 (its package has the Verilog) with RAM in a C model and a scratch memory in SystemVerilog.
--top-module testbench
${PICORV32}/picorv32.v
../rtl/core.sv
../rtl/ram.sv
../rtl/ram.cpp
../rtl/scratch.sv
../rtl/soc.sv
../tb/vhost_pkg.sv
../tb/host.sv
../tb/monitor.sv
../tb/yardstick.sv
../tb/yardstick.cpp
../tb/testbench.sv
../tb/main.cpp
