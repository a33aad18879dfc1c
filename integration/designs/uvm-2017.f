// UVM 1800.2-2017 with its C code. It is large, and not what a run spends its time in: it is compiled without optimisation.
+incdir+${UVM_2017}
${UVM_2017}/uvm_pkg.sv
${UVM_2017}/dpi/uvm_dpi.cc
-Wno-SYMRSVDWORD
-Wno-WIDTHTRUNC
uvm.vlt
-MAKEFLAGS OPT_FAST=-O0
-MAKEFLAGS OPT_SLOW=-O0
-MAKEFLAGS OPT_GLOBAL=-O0
