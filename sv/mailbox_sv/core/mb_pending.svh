// Call whose last poll returned "pending".
class MbPending;
    MbCallable       method;
    // Made by firmware, else by the testbench.
    bit              by_firmware;
    // The method executes it; else the other's call of the same method has to end first.
    bit              begun;
    // Tick of its last poll.
    longint unsigned polled;

    function new(MbCallable method, bit by_firmware);
        this.method = method;
        this.by_firmware = by_firmware;
    endfunction
endclass
