// Processor time of this process, for measurements.

#include <ctime>

extern "C" double cpu_seconds() { return double(std::clock()) / CLOCKS_PER_SEC; }
