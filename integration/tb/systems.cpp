// A main() that drives two models in turn, clock by clock, each with a context and a system of its
// own.
//
//   +handles    opens the systems here, and selects one before each evaluation; without it,
//               VHOST_SYSTEMS=scope opens one for each scope of a model that calls mb_init
//   +late       constructs the second model a few clocks later, so that it begins and ends later

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "Vtestbench.h"
#include "verilated.h"
#include "vhost.h"

namespace {

void check(bool wanted, const char *what) {
    if (wanted)
        return;
    std::printf("failed: %s: %s\n", what, mb_last_error());
    std::fflush(stdout);
    std::_Exit(70);
}

class Simulation {
  public:
    Simulation(const char *name, bool handles, int argc, char **argv) {
        context.threads(1);
        context.commandArgs(argc, argv);
        context.fatalOnVpiError(false);
        if (handles) {
            system = mb_system_open(name);
            check(system != nullptr, "mb_system_open");
        }
        select();
        testbench = std::make_unique<Vtestbench>(&context, "");
        testbench->eval();
    }

    ~Simulation() {
        select();
        testbench->final();
        if (system)
            check(mb_system_close(system) == 0, "mb_system_close");
    }

    // Runs one clock. Returns false when the model has finished.
    bool clock() {
        select();
        for (int half = 0; half < 2 && !context.gotFinish(); half++) {
            context.timeInc(1);
            testbench->clk = !testbench->clk;
            testbench->eval();
        }
        return !context.gotFinish();
    }

    int status() const { return testbench->status; }

  private:
    VerilatedContext context;
    std::unique_ptr<Vtestbench> testbench;
    void *system = nullptr;

    void select() {
        // Names are looked up in the thread's context.
        Verilated::threadContextp(&context);
        if (system)
            check(mb_system_select(system) == 0, "mb_system_select");
    }
};

bool has(int argc, char **argv, const std::string &argument) {
    return std::find(argv + 1, argv + argc, argument) != argv + argc;
}

} // namespace

int main(int argc, char **argv) {
    const bool handles = has(argc, argv, "+handles");
    auto left = std::make_unique<Simulation>("left", handles, argc, argv);
    for (int clocks = has(argc, argv, "+late") ? 1000 : 0; clocks > 0; clocks--)
        left->clock();
    auto right = std::make_unique<Simulation>("right", handles, argc, argv);
    int status = 0;
    while (left || right)
        for (auto *simulation : {&left, &right})
            if (*simulation && !(*simulation)->clock()) {
                status = std::max(status, (*simulation)->status());
                simulation->reset();
            }
    check(mb_system_select(nullptr) == 0, "mb_system_select");
    // The first system was not used.
    check(std::string(mb_status()).find("not initialised") != std::string::npos, "mb_status");
    return status;
}
