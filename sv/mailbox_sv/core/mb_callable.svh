// A method that firmware calls by name, as the host uses it: one instance per channel.
interface class MbCallable;
    pure virtual function string get_name();

    // A new instance of the same method, for one channel; null if there can be none.
    pure virtual function MbCallable clone_for_channel();

    // Sets the channel whose calls this instance answers.
    pure virtual function void set_channel(string ch);

    // One poll of a call. Status is one of mb_status_e.
    pure virtual function longint unsigned poll(
        string space, bit [31:0] arg_len, `MB_PTR args[], output int unsigned status);

    // Drops the pending call; its caller polls it no more.
    pure virtual function void drop_call();

    // Starts the execution of calls, unless it runs already. Returns at once.
    pure virtual task run();
endclass
