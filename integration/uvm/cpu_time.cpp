// The processor time that this process has taken, for measuring.

#include <ctime>

extern "C" double cpu_seconds() { return double(std::clock()) / CLOCKS_PER_SEC; }
