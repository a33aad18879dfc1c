// PicoRV32 with its RAM in an array, which the host reaches by VPI.
--vpi --top-module testbench
-LDFLAGS -Wl,--undefined=vpi_handle_by_name
${PICORV32}/picorv32.v
../rtl/core.sv
../rtl/array_ram.sv
../rtl/soc.sv
../rtl/ram.cpp
../rtl/scratch.sv
../tb/vhost_pkg.sv
../tb/host.sv
../tb/monitor.sv
../tb/yardstick.sv
../tb/yardstick.cpp
../tb/testbench.sv
../tb/main.cpp
