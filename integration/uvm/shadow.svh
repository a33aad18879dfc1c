// Model of the cores' RAMs, updated by the host's writes from the mailbox's monitor and by the
// cores' stores from the bus. At the end it must equal the RAMs.
class Shadow extends uvm_subscriber #(MailboxWrite);
    `uvm_component_utils(Shadow)

    local byte unsigned bytes[CORES][bit [31:0]];
    local realtime      last;
    // Number of writes by the host.
    int unsigned        writes;

    function new(string name, uvm_component parent);
        super.new(name, parent);
    endfunction

    virtual function void write(MailboxWrite t);
        int core;
        if (t.written_at < last || t.written_at != $realtime)
            `uvm_error("Shadow", {"out of order: ", t.convert2string()})
        last = t.written_at;
        writes++;
        if ($sscanf(t.space, "cpu%d", core) != 1)
            `uvm_fatal("Shadow", {"no core's space: ", t.convert2string()})
        foreach (t.data[i])
            bytes[core][32'(t.addr) + 32'(i)] = t.data[i];
    endfunction

    function void stored(int core, bit [31:0] addr, bit [31:0] data, bit [3:0] strobes);
        for (int b = 0; b < 4; b++)
            if (strobes[b])
                bytes[core][{addr[31:2], 2'(b)}] = data[8*b+:8];
    endfunction

    virtual function void check_phase(uvm_phase phase);
        for (int core = 0; core < CORES; core++)
            compare_ram(core);
    endfunction

    local function void compare_ram(int core);
        byte unsigned there[1024];
        for (bit [31:0] at = RAM * core; at < RAM * (core + 1); at += 1024) begin
            void'(mb_backdoor_read_block($sformatf("cpu%0d", core), 64'(at), there));
            foreach (there[i]) begin
                byte unsigned told = bytes[core].exists(at + i) ? bytes[core][at + i] : 0;
                if (there[i] != told) begin
                    `uvm_error("Shadow", $sformatf("core %0d: %h is %h, and was told to be %h", core, at + i, there[i], told))
                    return;
                end
            end
        end
    endfunction
endclass
