// A main() that drives models one after another, and acts as the firmware of each by the host's
// backdoor.
//
// +forgotten omits mb_shutdown between models. +name=SCOPE sets the scope of the exports. +tick and
// +init are arguments of the model, see tb/driven.sv. +quit ends the process by a signal. +kept
// keeps the system of the first model while the second one runs, whose arrays and exports are
// others.

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "Vtestbench.h"
#include "verilated.h"
#include "vhost.h"

namespace {

constexpr uint64_t BASE = 0x80001000, SLOTS = 8, SLOT = 88;
constexpr uint64_t REQUESTS_PUT = BASE + 12, REQUESTS = BASE + 16, REQUESTS_TAKEN = REQUESTS + SLOTS * SLOT;
constexpr uint64_t RESPONSES_PUT = REQUESTS_TAKEN + 8, RESPONSES_TAKEN = RESPONSES_PUT + 4 + SLOTS * 8;
constexpr uint64_t TEXT = 0x80003000;
constexpr uint32_t EXIT = 1, PRINT = 2, MEMSET = 5;

uint32_t read(uint64_t address) {
    uint32_t word = 0;
    mb_backdoor_read_u32("core0", address, &word);
    return word;
}

void write(uint64_t address, uint32_t word) { mb_backdoor_write_u32("core0", address, word); }

void check(bool wanted, const char *what) {
    if (wanted)
        return;
    std::printf("failed: %s: %s\n", what, mb_last_error());
    std::fflush(stdout);
    std::_Exit(70);
}

class Simulation {
  public:
    Simulation(int argc, char **argv) {
        context.commandArgs(argc, argv);
        context.fatalOnVpiError(false);
        testbench = std::make_unique<Vtestbench>(&context, "");
        testbench->eval();
    }

    ~Simulation() { testbench->final(); }

    bool has(const char *argument) { return context.commandArgsPlusMatch(argument)[0] != 0; }

    void clock(int count = 3) {
        for (int i = 0; i < count; i++) {
            context.timeInc(1);
            testbench->clk = 1;
            testbench->eval();
            testbench->clk = 0;
            testbench->eval();
            if (!has("tick"))
                mb_tick();
        }
    }

    void send(uint32_t action, std::initializer_list<uint32_t> args) {
        const uint32_t put = read(REQUESTS_PUT);
        uint64_t at = REQUESTS + put % SLOTS * SLOT;
        write(at, action);
        write(at + 4, args.size());
        for (uint32_t arg : args)
            write(at + 8, arg), at += 4;
        write(REQUESTS_PUT, put + 1);
        clock();
    }

    void print(const std::string &text) {
        mb_backdoor_write_mem("core0", TEXT, text.data(), text.size());
        send(PRINT, {uint32_t(text.size()), uint32_t(TEXT)});
    }

    void begin() {
        for (uint64_t index : {BASE + 4, REQUESTS_PUT, REQUESTS_TAKEN, RESPONSES_PUT, RESPONSES_TAKEN})
            write(index, 0);
        write(BASE, 2);
        write(BASE + 4, 1);
        clock();
        check(read(BASE + 4) == 2, "the handshake");
    }

    bool finished() { return context.gotFinish(); }

  private:
    VerilatedContext context;
    std::unique_ptr<Vtestbench> testbench;
};

std::string value_of(int argc, char **argv, const std::string &argument) {
    for (int i = 1; i < argc; i++)
        if (std::strncmp(argv[i], argument.c_str(), argument.size()) == 0)
            return argv[i] + argument.size();
    return "";
}

/* Checks that accesses fail, by ticks and by the program, until the next mb_init. */
void goes_on(Simulation &simulation) {
    for (int i = 0; i < 100; i++) {
        simulation.clock();
        check(read(BASE) == 0, "a read of a deleted model fails");
        check(std::strstr(mb_last_error(), "was deleted") != nullptr, "its reason");
    }
    check(mb_init("", "", "") == 0, "mb_init");
    simulation.begin();
    simulation.print("the model after it\n");
}

} // namespace

int main(int argc, char **argv) {
    const std::string name = value_of(argc, argv, "+name=");
    bool forgotten = false, kept = false;
    for (int model = 1; model <= 3; model++) {
        Simulation simulation(argc, argv);
        forgotten = simulation.has("forgotten");
        if (!name.empty())
            check(mb_set_scope(name.c_str()) == 0, "mb_set_scope");
        if (!simulation.has("init") && !kept)
            check(mb_init("", "", "") == 0, "mb_init");
        if (kept) {
            goes_on(simulation);
            return 0;
        }
        simulation.begin();
        simulation.print("model " + std::to_string(model) + "\n");
        // The library reports an error, and the testbench prints it.
        simulation.send(MEMSET, {0x10, 1, 4});
        simulation.print("left over");
        if (simulation.has("quit")) {
            std::signal(SIGTERM, [](int) { mb_quit(3); });
            std::raise(SIGTERM);
        }
        if (model == 3) {
            // $finish inside of a call, and no mb_shutdown.
            simulation.send(EXIT, {0});
            check(simulation.finished(), "$finish");
            return 0;
        }
        kept = simulation.has("kept");
        if (!forgotten && !kept)
            mb_shutdown();
    }
    return 1;
}
