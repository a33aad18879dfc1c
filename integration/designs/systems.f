// A chip with a RAM of its own in SystemVerilog. A program in C++ drives two models of it, with a system each: the case's `main`.
+define+SYSTEMS
--top-module testbench
-F systems-chip.f
