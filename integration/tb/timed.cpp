// Main program of a model with a clock of its own: what Verilator's option --main generates, but that on several threads a model has as
// many as it was built for, also where the machine has fewer processors.

#include <algorithm>
#include <memory>

#include "Vtestbench.h"
#include "verilated.h"
#include "verilated_vpi.h"

int main(int argc, char** argv) {
    const auto context = std::make_unique<VerilatedContext>();
#ifdef THREADS
    context->threads(THREADS);
#else
    context->threads(1);
#endif
    context->commandArgs(argc, argv);
#if VM_TRACE
    context->traceEverOn(true); // $dumpvars may come at any time
#endif
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
