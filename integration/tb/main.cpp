// Runs the testbench in Verilator: drives the clock, and ends with the testbench's status.
//
//   +idle           prints the processor time of a clock, for measurements
//   +between=N      takes a snapshot every N clocks, in this file: a model on several threads can
//                   be forked between two evaluations
//   +waves=FILE     waves of all signals, of a model with --trace-fst
//   +coverage=FILE  coverage, of a model with --coverage-line and the like
//   +forked=N       forks N runs, in this file, each with its number as +run, and ends with them

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "Vtestbench.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif
#include "vhost.h"

// Clock of the fork, before firmware has booted.
static const unsigned FORK = 500;

// Returns the number behind a plusarg, or 0 without it.
static long number(VerilatedContext &context, const char *name) {
    const char *argument = context.commandArgsPlusMatch(name);
    const char *value = std::strchr(argument, '=');
    return value ? std::atol(value + 1) : 0;
}

// Returns the text behind a plusarg, or an empty string without it.
[[maybe_unused]] static std::string text(VerilatedContext &context, const char *name) {
    const char *argument = context.commandArgsPlusMatch(name);
    const char *value = std::strchr(argument, '=');
    return value ? value + 1 : "";
}

// Ends the threads of a model, and creates new ones. Verilator before 5.010 has no functions for
// it.
template <class Model> static void without_threads(Model &model) {
    if constexpr (requires { model.prepareClone(); })
        model.prepareClone();
}

template <class Model> static void with_threads(Model &model) {
    if constexpr (requires { model.atClone(); })
        model.atClone();
}

// Takes a snapshot while the model has only this thread. Verilator starts the others again, also in
// a woken snapshot.
static void snapshot(VerilatedContext &context, Vtestbench &testbench) {
    without_threads(testbench);
    const int woken = mb_snapshot();
    with_threads(testbench);
    if (woken == 1)
        printf("main: runs again from clock %ld\n", long(context.time() / 2));
}

// Forks the runs while the model has only this thread. Returns true in the parent, when all have
// ended.
static bool forked(VerilatedContext &context, Vtestbench &testbench, int runs) {
    without_threads(testbench);
    const int run = mb_runs(runs, 2);
    with_threads(testbench);
    if (run == runs) {
        for (int i = 0; i < runs; i++)
            printf("main: run %d has ended with %d\n", i, mb_run_status(i));
        return true;
    }
    if (run < 0) {
        printf("main: %s\n", mb_last_error());
        return true;
    }
    const std::string number = "+run=" + std::to_string(run);
    const char *argument = number.c_str();
    context.commandArgsAdd(1, &argument);
    return false;
}

int main(int argc, char **argv) {
    VerilatedContext context;
#ifdef THREADS
    context.threads(THREADS); // also where the machine has fewer processors
#else
    context.threads(1); // otherwise a thread pool that no model uses prevents forks
#endif
    context.commandArgs(argc, argv);
    context.fatalOnVpiError(false); // the host reports what VPI refuses
#if VM_TRACE_FST
    context.traceEverOn(true);
#endif
    Vtestbench testbench{&context, ""}; // a name would precede every HDL path
#if VM_TRACE_FST
    VerilatedFstC waves;
    testbench.trace(&waves, 99);
    waves.open(text(context, "waves=").c_str());
#endif
    testbench.eval(); // runs the `initial` blocks, including the host's start
    const long between = number(context, "between=");
    if (between)
        mb_snapshots(0, 2);
    const int runs = int(number(context, "forked="));
    const std::clock_t begun = std::clock();
    while (!context.gotFinish()) {
        context.timeInc(1);
        testbench.clk = !testbench.clk;
        testbench.eval();
#if VM_TRACE_FST
        waves.dump(context.time());
#endif
        if (between && !testbench.clk && context.time() / 2 % between == 0)
            snapshot(context, testbench);
        if (runs && !testbench.clk && context.time() / 2 == FORK && forked(context, testbench, runs))
            break;
    }
    const double seconds = double(std::clock() - begun) / CLOCKS_PER_SEC;
    testbench.final();
#if VM_TRACE_FST
    waves.close();
#endif
#if VM_COVERAGE
    context.coveragep()->write(text(context, "coverage=").c_str());
#endif
    if (*context.commandArgsPlusMatch("idle"))
        printf("main: %.3f ns per clock\n", 1e9 * seconds / (context.time() / 2));
    return testbench.status;
}
