// Main program of a model on several threads. The one that Verilator generates gives it no more threads than the machine has
// processors, and a model that needs more does not start.
#include <algorithm>
#include <memory>

#include "Vtestbench.h"
#include "verilated.h"
#include "verilated_vpi.h"

int main(int argc, char** argv) {
    const auto context = std::make_unique<VerilatedContext>();
    context->threads(THREADS);
    context->commandArgs(argc, argv);
    const auto model = std::make_unique<Vtestbench>(context.get(), "");
    VerilatedVpi::callCbs(cbStartOfSimulation);
    while (!context->gotFinish()) {
        VerilatedVpi::callTimedCbs();
        VerilatedVpi::callCbs(cbNextSimTime);
        VerilatedVpi::callCbs(cbAtStartOfSimTime);
        model->eval();
        VerilatedVpi::callValueCbs();
        VerilatedVpi::callCbs(cbAtEndOfSimTime);
        VerilatedVpi::callCbs(cbReadWriteSynch);
        VerilatedVpi::callCbs(cbReadOnlySynch);
        if (!model->eventsPending()) break;
        context->time(std::min(model->nextTimeSlot(), VerilatedVpi::cbNextDeadline()));
    }
    model->final();
    VerilatedVpi::callCbs(cbEndOfSimulation);
    context->statsPrintSummary();
    return 0;
}
