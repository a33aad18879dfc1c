// The function that does nothing, in a file of its own lest the compiler see that it does.

extern "C" void do_nothing() {}
