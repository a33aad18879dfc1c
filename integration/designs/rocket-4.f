// Rocket with four harts, each with its write-back data cache; the rest is as in rocket.f.
-LDFLAGS -Wl,--undefined=mb_report
-Wno-fatal
-Wno-lint
-Wno-style
+define+SYNTHESIS
+define+HARTS_4
${ROCKET}/generated-src/freechips.rocketchip.system.LitexLinux4Config.v
${ROCKET}/generated-src/freechips.rocketchip.system.LitexLinux4Config.behav_srams.v
${ROCKET}/vsrc/plusarg_reader.v
${ROCKET}/vsrc/AsyncResetReg.v
${ROCKET}/vsrc/EICG_wrapper.v
../rtl/rocket.sv
../rtl/axi_memory.sv
-F soc.f
