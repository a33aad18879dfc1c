// With another monitor of the bus than soc.f: it knows the words of HTIF and RTT by their symbols.
--top-module testbench
${PICORV32}/picorv32.v
../rtl/core.sv
../rtl/ram.sv
../rtl/soc.sv
../rtl/ram.cpp
../rtl/scratch.sv
../tb/vhost_pkg.sv
../tb/host.sv
../tb/symbol_monitor.sv
../tb/yardstick.sv
../tb/yardstick.cpp
../tb/testbench.sv
../tb/main.cpp
