// What chips of one core have in common: RAM in a C model, a scratch memory, testbench and host.
--top-module testbench
../rtl/ram.cpp
../rtl/scratch.sv
../tb/vhost_pkg.sv
../tb/host.sv
../tb/monitor.sv
../tb/yardstick.sv
../tb/yardstick.cpp
../tb/testbench.sv
../tb/main.cpp
