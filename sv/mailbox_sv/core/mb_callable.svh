// A method that firmware calls by name, as the host sees it.
interface class MbCallable;
    pure virtual function string get_name();

    // A new instance of the same method, for one channel; null where there can be none.
    pure virtual function MbCallable another();

    // One poll of a call, at this tick.
    pure virtual function longint unsigned poll(
        longint unsigned tick, string space, int unsigned arg_len, longint unsigned args[`SV_CALL_MAX_ARGS],
        output int unsigned status);

    // Asked when a tick is over, and before each poll. False where no call is pending any more; one that was polled neither in this
    // tick nor since the one before has been dropped.
    pure virtual function bit keep(longint unsigned tick);

    // Executes the call that has begun.
    pure virtual task serve();
endclass
