// Three cores (rtl/cluster.sv), and the testbench's side of the mailbox.
--timing --vpi --timescale 1ns/1ps
--top-module testbench
-LDFLAGS -Wl,--undefined=mb_report,--undefined=vpi_handle_by_name
+incdir+../../sv/mailbox_sv
${PICORV32}/picorv32.v
../rtl/core.sv
../rtl/cluster.sv
../../sv/mailbox_sv/mailbox_if.sv
../uvm/cluster_bench.sv
../uvm/cpu_time.cpp
../tb/timed.cpp
