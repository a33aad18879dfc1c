// Method that firmware calls by name, as seen by the host. Each channel has an instance.
interface class MbCallable;
    pure virtual function string get_name();

    // Creates an instance of the same method for one channel; null if it can't.
    pure virtual function MbCallable clone_for_channel();

    // Sets the channel whose calls this instance executes.
    pure virtual function void set_channel(string ch);

    // Polls a call once. The status is one of mb_status_e.
    pure virtual function longint unsigned poll(
        string space, bit [31:0] arg_len, `MB_PTR args[], output int unsigned status);

    // Drops the pending call, which is not polled again.
    pure virtual function void drop_call();

    // Starts the execution of calls, unless it is running. Returns at once.
    pure virtual task run();
endclass
