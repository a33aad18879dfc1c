// Rocket with a write-back data cache (its package has the Verilog), and RAM in a C model.
// A design of this size is compiled in parts: docs/verilator.md.
-LDFLAGS -Wl,--undefined=mb_report
-Wno-fatal
-Wno-lint
-Wno-style
+define+SYNTHESIS
${ROCKET}/generated-src/freechips.rocketchip.system.LitexLinuxConfig.v
${ROCKET}/generated-src/freechips.rocketchip.system.LitexLinuxConfig.behav_srams.v
${ROCKET}/vsrc/plusarg_reader.v
${ROCKET}/vsrc/AsyncResetReg.v
${ROCKET}/vsrc/EICG_wrapper.v
../rtl/rocket.sv
../rtl/axi_memory.sv
-F soc.f
