// Main program of the self-test in Verilator. That of --binary names the model TOP in Verilator
// 5.006, and ends 5.030 at a function of VPI that it does not have: the library then has another.
#include "Vtestbench.h"
#include "verilated.h"

int main(int argc, char** argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    context.fatalOnVpiError(false);
    Vtestbench testbench{&context, ""};
    while (!context.gotFinish()) {
        testbench.eval();
        if (!testbench.eventsPending())
            break;
        context.time(testbench.nextTimeSlot());
    }
    testbench.final();
    return 0;
}
