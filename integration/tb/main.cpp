// Runs the testbench in Verilator: drives the clock, and ends with the testbench's status. With +idle, which is for
// measuring, it says what a clock took of the processor's time.

#include <cstdio>
#include <ctime>

#include "Vtestbench.h"
#include "verilated.h"

int main(int argc, char **argv) {
    VerilatedContext context;
#ifdef THREADS
    context.threads(THREADS); // also where the machine has fewer processors
#else
    context.threads(1); // or there is a pool of threads that no model uses, and the process can't be forked
#endif
    context.commandArgs(argc, argv);
    context.fatalOnVpiError(false); // the host reports what VPI refuses
    Vtestbench testbench{&context, ""}; // no name, or it would stand before every HDL path
    testbench.eval(); // the `initial` blocks, the host's start among them
    const std::clock_t begun = std::clock();
    while (!context.gotFinish()) {
        context.timeInc(1);
        testbench.clk = !testbench.clk;
        testbench.eval();
    }
    const double seconds = double(std::clock() - begun) / CLOCKS_PER_SEC;
    testbench.final();
    if (*context.commandArgsPlusMatch("idle"))
        printf("main: %.3f ns per clock\n", 1e9 * seconds / (context.time() / 2));
    return testbench.status;
}
