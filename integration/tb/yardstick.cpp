// An empty function, in a file of its own so that the compiler can't remove its calls.

extern "C" void do_nothing() {}
