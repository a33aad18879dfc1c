// One core under the UVM testbench, for measuring: with optimisation, which takes its time.
-F cluster.f
+define+SINGLE_CORE
-MAKEFLAGS OPT_FAST=-O2
