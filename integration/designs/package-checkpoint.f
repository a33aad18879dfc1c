// One chip under a testbench that uses sv/mailbox_sv, and restores chip and host from a checkpoint.
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
../tb/package_checkpoint.sv
../tb/timed.cpp
