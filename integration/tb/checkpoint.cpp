// Saves model and host in two files, and restores both in another process. Verilator's --savable
// saves the model.
//
//   +save=N         writes model.ckpt and host.ckpt after N clocks, and ends
//   +restore        continues from both files
//   +twice=N        runs itself with +save=N, then with +restore
//   +folder=DIR/    folder of the files

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "Vtestbench.h"
#include "verilated.h"
#include "verilated_save.h"
#include "vhost.h"

static const uint64_t MOST = 2000000;

static void check(bool wanted, const char *what) {
    if (wanted)
        return;
    std::printf("failed: %s: %s\n", what, mb_last_error());
    std::fflush(stdout);
    std::_Exit(70);
}

// Returns the text behind a plusarg, or an empty string without it.
static std::string value(VerilatedContext &context, const char *name) {
    const char *argument = context.commandArgsPlusMatch(name);
    const char *value = std::strchr(argument, '=');
    return value ? value + 1 : "";
}

// Runs this program again. Returns its exit status.
static int again(const char *program, const std::string &argument) {
    const int status = std::system((std::string(program) + " " + argument).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int main(int argc, char **argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    const std::string twice = value(context, "twice=");
    const std::string folder = value(context, "folder=");
    if (!twice.empty()) {
        if (again(argv[0], "+folder=" + folder + " +save=" + twice) != 0)
            return 1;
        return again(argv[0], "+folder=" + folder + " +restore");
    }
    const std::string model = folder + "model.ckpt", host = folder + "host.ckpt";
    Vtestbench testbench(&context, "");
    const std::string at = value(context, "save=");
    const uint64_t save = at.empty() ? MOST : std::strtoull(at.c_str(), nullptr, 0);
    uint64_t clock = 0;

    testbench.eval();
    check(mb_init("", "", "") == 0, "mb_init");
    if (context.commandArgsPlusMatch("restore")[0]) {
        VerilatedRestore file;
        file.open(model.c_str());
        check(file.isOpen(), model.c_str());
        file >> clock >> testbench;
        file.close();
        check(mb_restore(host.c_str()) == 0, "mb_restore");
        std::printf("main: goes on from clock %lu\n", (unsigned long)clock);
    }
    for (; clock < MOST; clock++) {
        if (clock == save) {
            VerilatedSave file;
            file.open(model.c_str());
            check(file.isOpen(), model.c_str());
            file << clock << testbench;
            file.close();
            check(mb_save(host.c_str()) == 0, "mb_save");
            std::printf("main: saved at clock %lu\n", (unsigned long)clock);
            break;
        }
        testbench.resetn = clock >= 4;
        testbench.clk = 1;
        testbench.eval();
        testbench.clk = 0;
        testbench.eval();
        const int served = mb_tick();
        check(served >= 0, "mb_tick");
        if (served == 0)
            break;
    }
    uint32_t code = 0;
    const int exited = mb_exit_code("", &code);
    if (exited == 1)
        std::printf("main: exit code %u at clock %lu\n", code, (unsigned long)clock);
    testbench.final();
    mb_shutdown();
    return exited == 1 ? int(code) : 0;
}
