// No chip, and a library that does not serve: each way in which it fails must fail the run.
--main --timing --timescale 1ns/1ps
--top-module unserved
--prefix Vtestbench
+incdir+../../sv/mailbox_sv
../../sv/mailbox_sv/mailbox_if.sv
../tb/unserved.sv
../tb/unserved.cpp
