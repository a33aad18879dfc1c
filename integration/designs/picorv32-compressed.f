// A core with compressed instructions, which the Rust target riscv32imc has.
-F picorv32.f
-GCOMPRESSED=1
