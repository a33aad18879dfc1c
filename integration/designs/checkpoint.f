// PicoRV32 with one RAM, in a model that Verilator saves. The program that drives it is the case's `main`.
--savable
--vpi
--top-module top
--prefix Vtestbench
-LDFLAGS -Wl,--undefined=vpi_handle_by_name
${PICORV32}/picorv32.v
../rtl/core.sv
../rtl/checkpoint.sv
