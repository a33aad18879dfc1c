// No chip: a testbench that has sockets only.
--top-module echo
--prefix Vtestbench
+incdir+../../sv/mailbox_sv
../../sv/mailbox_sv/mailbox_socket_pkg.sv
../tb/mb_socket_pkg.sv
../tb/echo.sv
../tb/main.cpp
