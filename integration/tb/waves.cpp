// Closes waves, as $fatal does: of a format whose file is of no use before, such as FST.

#include "verilated.h"

extern "C" void close_waves() { Verilated::runExitCallbacks(); }
