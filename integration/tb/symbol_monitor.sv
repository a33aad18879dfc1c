// Replaces monitor.sv for firmware with HTIF: signals stores to its words, whose addresses are
// symbols of the image.
//
//   +rtt   also stores to the control block of RTT
module monitor
    import vhost_pkg::*;
#(
    parameter int CORES = 1
) (
    input  bit                   clk,
    input  bit [CORES-1:0]       write,
    input  bit [CORES-1:0][31:0] write_addr,
    output bit                   written
);
    import "DPI-C" context function int mb_symbol(
        input string place, input string name, output longint unsigned value, output longint unsigned size);

    // A word of HTIF has 8 bytes; its symbol may have no size.
    localparam longint unsigned WORD = 8;

    typedef struct {
        longint unsigned first, past;
    } range_t;

    range_t watched[$];
    bit     looked;

    // The host has started when the clock runs.
    always @(posedge clk)
        if (!looked) begin
            looked <= 1;
            look_up("tohost");
            look_up("fromhost");
            if ($test$plusargs("rtt") != 0)
                look_up("_SEGGER_RTT");
        end

    function automatic void look_up(string name);
        range_t          range;
        longint unsigned value, size;
        if (mb_symbol("cpu0", name, value, size) != 0)
            $fatal(1, "there is nothing to watch");
        range.first = value;
        range.past = value + (size < WORD ? WORD : size);
        $display("monitor: %s is at 0x%0h", name, value);
        watched.push_back(range);
    endfunction

    // The address of a store is that of its first byte, or of its word.
    always_comb begin
        written = 0;
        foreach (watched[i])
            for (int core = 0; core < CORES; core++)
                written |= write[core] && 64'(write_addr[core]) + 4 > watched[i].first && 64'(write_addr[core]) < watched[i].past;
    end
endmodule
