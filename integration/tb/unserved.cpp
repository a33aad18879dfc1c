// A library that fails on request: these functions take precedence over those of libvhost.
//
// It does not report its failures, as in a simulator whose functions are not accessible.

#include <cstdlib>
#include <string>

#include "svdpi.h"

namespace {
std::string fault;
int ticks;
} // namespace

extern "C" {
void sv_registery_ch(const char *channel);
void mb_exited(const char *channel, unsigned code);

void library_fails(const char *how) { fault = how; }

int mb_init(const char *, const char *, const char *) {
    if (fault == "init")
        return -1;
    if (fault != "unreachable" && fault != "no-channel")
        sv_registery_ch("cpu");
    return 0;
}

int mb_tick() {
    ++ticks;
    if (fault == "tick")
        return -1;
    if (fault == "no-channel" || fault == "no-exit")
        return 0;
    if (fault == "none" && ticks == 3) {
        mb_exited("cpu", 0);
        return 0;
    }
    return 1;
}

const char *mb_last_error() { return "the library is out of order"; }
void mb_get_space(const char *, const char **space) { *space = "cpu"; }
void mb_notify() {}
void mb_shutdown() {}
void mb_quit(int status) { std::exit(status); }
}
