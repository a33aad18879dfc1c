// No CPU: a program in C++ drives the models, and is their firmware. The program is the case's `main`.
--vpi
--top-module top
--prefix Vtestbench
-LDFLAGS -Wl,--undefined=mb_report,--undefined=vpi_handle_by_name
../tb/driven.sv
