// VexRiscv with a write-through data cache (its package has the Verilog), RAM in a C model and a scratch memory in SystemVerilog.
-Wno-WIDTH
-Wno-CASEINCOMPLETE
-Wno-UNOPTFLAT
${VEXRISCV}/VexRiscv_Full.v
../rtl/vexriscv.sv
../rtl/ram.sv
-F soc.f
