// One core under the UVM testbench, for measuring: all of it with optimisation, which takes its time.
-F cluster.f
+define+SINGLE_CORE
-MAKEFLAGS OPT_FAST=-O2
-MAKEFLAGS OPT_GLOBAL=-O2
