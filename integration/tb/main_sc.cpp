// Runs the testbench as a SystemC module, with a clock and signals at its ports, and ends with the
// testbench's status.

#include <systemc>

#include "Vtestbench.h"
#include "verilated.h"

int sc_main(int argc, char **argv) {
    Verilated::commandArgs(argc, argv);
    Verilated::fatalOnVpiError(false); // the host reports what VPI refuses
    sc_core::sc_clock clk{"clk", sc_core::sc_time(10, sc_core::SC_NS)};
    sc_core::sc_signal<bool> over;
    sc_core::sc_signal<uint32_t> status;
    Vtestbench testbench{"testbench"};
    testbench.clk(clk);
    testbench.over(over);
    testbench.status(status);
    while (!Verilated::gotFinish())
        sc_core::sc_start(sc_core::sc_time(10, sc_core::SC_NS));
    testbench.final();
    return int(status.read());
}
