// A testbench with a console on TCP, which host.sv uses and so comes first; picorv32.v has a timescale, and so these need one.
--timescale 1ns/1ps
+define+CONSOLE
+incdir+../../sv/mailbox_sv
../../sv/mailbox_sv/mailbox_socket_pkg.sv
../tb/mb_socket_pkg.sv
../tb/console.sv
-F picorv32.f
