// Two chips in one design, with a testbench and a system each.
+define+SYSTEMS
--top-module pair
-F systems-chip.f
../tb/pair.sv
../tb/main.cpp
