// Memories of every geometry; no CPU.
--top-module testbench
--timing
--vpi
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
