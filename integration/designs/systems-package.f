// Two chips in one design, under one testbench that uses sv/mailbox_sv, with a system each.
--timing --vpi --timescale 1ns/1ps
--top-module testbench
--prefix Vtestbench
-LDFLAGS -Wl,--undefined=mb_report,--undefined=vpi_handle_by_name
-MAKEFLAGS OPT_FAST=-O1
+incdir+../../sv/mailbox_sv
systems.vlt
${PICORV32}/picorv32.v
../rtl/core.sv
../rtl/array_ram.sv
../rtl/scratch.sv
../rtl/soc.sv
../tb/monitor.sv
../../sv/mailbox_sv/mailbox_if.sv
../uvm/plain_pkg.sv
../tb/systems_package.sv
../tb/timed.cpp
