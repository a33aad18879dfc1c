// Call whose last poll returned "pending".
class MbPending;
    MbCallable       method;
    // True for a call by firmware; false for one by the testbench.
    bit              by_firmware;
    // True if the method executes it; otherwise another call of the same method must end first.
    bit              begun;
    // Tick of its last poll.
    longint unsigned polled;

    function new(MbCallable method, bit by_firmware);
        this.method = method;
        this.by_firmware = by_firmware;
    endfunction
endclass
