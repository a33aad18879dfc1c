// PicoRV32 as a module of SystemC, with a program of its own.
// The standard of C++ that Debian compiles SystemC for.
-CFLAGS -std=c++17
--top-module testbench
${PICORV32}/picorv32.v
../rtl/core.sv
../rtl/ram.sv
../rtl/soc.sv
../rtl/ram.cpp
../rtl/scratch.sv
../tb/vhost_pkg.sv
../tb/host.sv
../tb/monitor.sv
../tb/yardstick.sv
../tb/yardstick.cpp
../tb/testbench.sv
../tb/main_sc.cpp
