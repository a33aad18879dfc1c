// Runs the testbench in Verilator: drives the clock, and ends with the testbench's status.

#include "Vtestbench.h"
#include "verilated.h"

int main(int argc, char **argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    Vtestbench testbench{&context};
    while (!context.gotFinish()) {
        context.timeInc(1);
        testbench.clk = !testbench.clk;
        testbench.eval();
    }
    testbench.final();
    return testbench.status;
}
