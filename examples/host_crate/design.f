// The chip and its testbench. Verilator makes the program that runs it.
--main --timing --timescale 1ns/1ps
--top-module testbench
-LDFLAGS -Wl,--undefined=mb_report
+incdir+../../sv/mailbox_sv
${PICORV32}/picorv32.v
../../integration/rtl/core.sv
../../sv/mailbox_sv/mailbox_if.sv
chip.sv
testbench.sv
