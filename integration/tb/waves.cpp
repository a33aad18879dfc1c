// Closes waves, as $fatal does: for formats such as FST, whose file is unusable before.

#include "verilated.h"

extern "C" void close_waves() { Verilated::runExitCallbacks(); }
