--prefix Vtestbench
${PICORV32}/picorv32.v
../rtl/core.sv
../rtl/array_ram.sv
../rtl/soc.sv
../rtl/scratch.sv
../tb/vhost_pkg.sv
../tb/host.sv
../tb/monitor.sv
../tb/yardstick.sv
../tb/yardstick.cpp
../tb/testbench.sv
