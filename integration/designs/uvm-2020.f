// UVM 1800.2-2020 with its C code. It is large, and not what a run spends its time in: it is compiled without optimisation.
+incdir+${UVM_2020}
${UVM_2020}/uvm_pkg.sv
${UVM_2020}/dpi/uvm_dpi.cc
-Wno-SYMRSVDWORD
uvm.vlt
-MAKEFLAGS OPT_FAST=-O0
-MAKEFLAGS OPT_SLOW=-O0
-MAKEFLAGS OPT_GLOBAL=-O0
