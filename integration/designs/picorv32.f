// PicoRV32 (its package has the Verilog) with RAM in a C model and a scratch memory in SystemVerilog.
${PICORV32}/picorv32.v
../rtl/core.sv
../rtl/ram.sv
../rtl/soc.sv
-F soc.f
