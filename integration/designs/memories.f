// Memories of every geometry; no CPU.
--top-module testbench
--timing
--vpi
// Large code that runs for a second.
-MAKEFLAGS OPT_FAST=-O1
-LDFLAGS -Wl,--undefined=mb_report,--undefined=vpi_handle_by_name
../rtl/memory_map.sv
../rtl/ram.sv
../rtl/ram.cpp
../rtl/scratch.sv
../rtl/sram.sv
../rtl/banked.sv
../rtl/memories.sv
../tb/vhost_pkg.sv
../tb/memory_testbench.sv
../tb/main.cpp
