// Accesses of host and RTL to the same memories: each must read the other's writes, and no other
// byte may change.
//
//   +seed=N        seed of the accesses (default 1)
//   +accesses=N    number of accesses, of 1 to 300 bytes (default 10,000)
//   +probe=ADDR    instead: the host writes and reads four bytes there, for inaccessible memories
//
// `shadow` has the expected value of each byte.
module testbench
    import memory_map::*;
    import vhost_pkg::*;
(
    input  bit clk,
    output int status
);
    // The host has a copy of the ROM, which is never written.
    localparam int unsigned WRITABLE = BASES[RAM];
    localparam int MOST = 300;
    localparam string SPACE = "bus";

    typedef byte unsigned bytes_t[MOST];

    // The library finds the exports below in the scope of the mb_init call, which is imported here.
    import "DPI-C" context function int mb_init(
        input string mem_cfg, input string mailbox_cfg, input string fs_root);
    import "DPI-C" context function longint mb_backdoor_read_mem(
        input string space, input longint unsigned addr, output bytes_t data, input longint unsigned len);
    import "DPI-C" context function longint mb_backdoor_write_mem(
        input string space, input longint unsigned addr, input bytes_t data, input longint unsigned len);

    export "DPI-C" function mb_report;
    export "DPI-C" function mb_bb_mem_read;
    export "DPI-C" function mb_bb_mem_write;
`ifndef BLACK_BOX_BY_BYTE
    export "DPI-C" function mb_bb_mem_read_block;
    export "DPI-C" function mb_bb_mem_write_block;
`endif

    bit                    valid, ready, kept;
    bit [31:0]             addr;
    bit [MOST_BYTES-1:0]   strobes;
    bit [8*MOST_BYTES-1:0] data, out;
    // Value of `out` when the last access was ready.
    bit [8*MOST_BYTES-1:0] got;
    bit                    got_kept;

    memories memories (.*);

    byte unsigned shadow[END-FIRST];

    // Words of direct32 that front hides, which no access reaches.
    localparam int HIDDEN = (BASES[FRONT] - BASES[DIRECT32]) / 4;
    bit [31:0] hidden[SIZES[FRONT]/4];

    // ---- The run ----

    int    seed;
    string doing;

    initial begin
        int          given, accesses;
        int unsigned probed;
        if ($value$plusargs("seed=%d", given) == 0)
            given = 1;
        if ($value$plusargs("accesses=%d", accesses) == 0)
            accesses = 10_000;
        seed = given;
        doing = "the RTL has filled the memories";
        fill();
        if (mb_init("", "", "") != 0) begin
            finish(255);
        end else if ($value$plusargs("probe=%h", probed) != 0) begin
            probe(probed);
        end else begin
            $display("memories: seed %0d, %0d accesses", given, accesses);
            doing = "the host has given them their content";
            take_initial_content();
            sweep();
            for (int i = 1; i <= accesses && status == 0; i++) begin
                access();
                if (i % 1000 == 0 || i == accesses)
                    sweep();
            end
            if (status == 0)
                $display("memories: all as they must be");
            else
                $display("memories: +seed=%0d repeats it", given);
            finish(status);
        end
    end

    final mb_shutdown();

    function automatic void finish(int with_status);
        status = with_status;
        $finish;
    endfunction

    function automatic int unsigned draw(int unsigned least, int unsigned most);
        return unsigned'($dist_uniform(seed, int'(least), int'(most)));
    endfunction

    // ---- RTL side ----

    // Address of the first byte of the word at an address. `word_end` is the address behind its
    // last byte.
    function automatic int unsigned word_start(int unsigned at);
        int memory = memory_at(at);
        return at - (at - BASES[memory]) % BYTES[memory];
    endfunction

    function automatic int unsigned word_end(int unsigned at);
        return word_start(at) + BYTES[memory_at(at)];
    endfunction

    // One access on the bus to the word at this address.
    task automatic transfer(int unsigned word);
        @(negedge clk);
        addr = word;
        valid = 1;
        do @(negedge clk); while (!ready);
        got = out;
        got_kept = kept;
        valid = 0;
    endtask

    // Writes the values of the shadow.
    task automatic rtl_writes(int unsigned from, int unsigned len);
        for (int unsigned word = word_start(from); word < from + len; word = word_end(word)) begin
            strobes = 0;
            for (int unsigned at = word; at < word_end(word); at++) begin
                strobes[at-word] = at >= from && at < from + len;
                data[8*(at-word)+:8] = shadow[at-FIRST];
            end
            transfer(word);
        end
        strobes = 0;
    endtask

    // Compares every word that contains one of these bytes with the shadow, including its other
    // bytes.
    task automatic rtl_sees(int unsigned from, int unsigned len);
        for (int unsigned word = word_start(from); word < from + len; word = word_end(word)) begin
            transfer(word);
            for (int unsigned at = word; at < word_end(word); at++)
                compare("the RTL", at, got[8*(at-word)+:8]);
            if (!got_kept)
                differs($sformatf("bits above the data have changed in the word at %s", place(word)));
        end
    endtask

    task automatic sweep();
        rtl_sees(FIRST, END - FIRST);
        foreach (hidden[i])
            if (hidden[i] != memories.direct32.mem[HIDDEN+i])
                differs($sformatf("word %0d of direct32 has changed, which front hides", HIDDEN + i));
    endtask

    function automatic void compare(string who, int unsigned at, byte unsigned value);
        if (value != shadow[at-FIRST])
            differs($sformatf("%s reads 0x%02x at %s, and not 0x%02x", who, value, place(at), shadow[at-FIRST]));
    endfunction

    function automatic string place(int unsigned at);
        int memory = memory_at(at);
        return $sformatf("0x%0x, which is %s + 0x%0x", at, NAMES[memory], at - BASES[memory]);
    endfunction

    // Prints the first difference, and ends the run.
    function automatic void differs(string how);
        if (status == 0)
            $display("memories: after %s: %s", doing, how);
        status = 1;
    endfunction

    // ---- Initial contents ----

    task automatic fill();
        for (int unsigned word = FIRST; word < WRITABLE; word = word_end(word)) begin
            transfer(word);
            for (int unsigned i = 0; i < 4; i++)
                shadow[word+i-FIRST] = got[8*i+:8];
        end
        for (int unsigned at = WRITABLE; at < END; at++)
            shadow[at-FIRST] = 8'(draw(0, 255));
        rtl_writes(WRITABLE, END - WRITABLE);
        foreach (hidden[i])
            hidden[i] = memories.direct32.mem[HIDDEN+i];
    endtask

    // Updates the shadow by the memories' configuration. $readmemh reads the files for it.
    task automatic take_initial_content();
        bit [23:0]  direct24[500];
        bit [127:0] horizontal[64];
        foreach (direct24[i])
            direct24[i] = 24'(shadow_of(DIRECT24, 3 * i, 3));
        $readmemh("integration/designs/direct24.hex", direct24);
        foreach (direct24[i])
            set_shadow_of(DIRECT24, 3 * i, 3, 128'(direct24[i]));
        foreach (horizontal[i])
            horizontal[i] = shadow_of(HORIZONTAL, 16 * i, 16);
        $readmemh("integration/designs/horizontal.hex", horizontal);
        foreach (horizontal[i])
            set_shadow_of(HORIZONTAL, 16 * i, 16, horizontal[i]);
        zero(ROWS64);
        zero(DESCENDING16);
        zero(SQUARE72);
        take_random(DIRECT72);
        take_random(VERTICAL);
    endtask

    function automatic int unsigned end_of(int memory);
        return BASES[memory] + SIZES[memory];
    endfunction

    function automatic bit [127:0] shadow_of(memory_t memory, int offset, int len);
        bit [127:0] value = 0;
        for (int i = 0; i < len; i++)
            value[8*i+:8] = shadow[BASES[memory]-FIRST+offset+i];
        return value;
    endfunction

    function automatic void set_shadow_of(memory_t memory, int offset, int len, bit [127:0] value);
        for (int i = 0; i < len; i++)
            shadow[BASES[memory]-FIRST+offset+i] = value[8*i+:8];
    endfunction

    function automatic void zero(memory_t memory);
        for (int unsigned at = BASES[memory]; at < end_of(memory); at++)
            shadow[at-FIRST] = 0;
    endfunction

    // Reads random content that the host has written: neither the previous bytes nor zeros.
    task automatic take_random(memory_t memory);
        int unsigned from = BASES[memory];
        int unsigned size = SIZES[memory];
        int unsigned same = 0, zeros = 0;
        for (int unsigned word = from; word < from + size; word = word_end(word)) begin
            transfer(word);
            for (int unsigned at = word; at < word_end(word); at++) begin
                byte unsigned value = got[8*(at-word)+:8];
                same += value == shadow[at-FIRST] ? 1 : 0;
                zeros += value == 0 ? 1 : 0;
                shadow[at-FIRST] = value;
            end
        end
        if (same > size / 16 || zeros > size / 16) begin
            $display("memories: %s is not filled with random bytes: %0d of %0d are as before, %0d are zero",
                NAMES[memory], same, size, zeros);
            status = 1;
        end
    endtask

    // ---- Accesses ----

    task automatic access();
        int          memory = int'(draw(0, COUNT - 1));
        int unsigned most = draw(0, 1) == 0 ? 16 : MOST;
        int unsigned len = draw(1, most);
        int unsigned from = draw(BASES[memory], end_of(memory) - 1);
        // Mostly across the end of the memory.
        if (draw(0, 3) == 0)
            from = end_of(memory) - draw(1, len);
        if (from + len > END)
            len = END - from;
        if (from < WRITABLE) begin
            doing = "nothing";
            host_sees(from, len);
        end else if (draw(0, 1) == 0) begin
            rtl_changes(from, len);
        end else begin
            host_changes(from, len);
        end
    endtask

    task automatic rtl_changes(int unsigned from, int unsigned len);
        doing = $sformatf("the RTL's write of %0d bytes at 0x%0x", len, from);
        for (int unsigned at = from; at < from + len; at++)
            shadow[at-FIRST] = 8'(draw(0, 255));
        rtl_writes(from, len);
        host_sees(from, len);
    endtask

    task automatic host_changes(int unsigned from, int unsigned len);
        bytes_t bytes;
        doing = $sformatf("the host's write of %0d bytes at 0x%0x", len, from);
        for (int unsigned i = 0; i < len; i++) begin
            // No zeros, so that strings may be written.
            bytes[i] = 8'(draw(1, 255));
            shadow[from-FIRST+i] = bytes[i];
        end
        host_writes(from, len, bytes);
        // Also the words before and behind it.
        if (from > WRITABLE) begin
            from--;
            len++;
        end
        rtl_sees(from, from + len < END ? len + 1 : len);
    endtask

    // ---- Host side: one block, or the function for one size, selected at random ----

    function automatic void host_writes(int unsigned from, int unsigned len, bytes_t bytes);
        longint unsigned at = 64'(from);
        bit [63:0]       word = {bytes[7], bytes[6], bytes[5], bytes[4], bytes[3], bytes[2], bytes[1], bytes[0]};
        byte unsigned    block[64] = bytes[0:63];
        bit              plain = draw(0, 1) == 0;
        string           text = "";
        if (!plain && len == 1)
            mb_backdoor_write_u8(SPACE, at, word[7:0]);
        else if (!plain && len == 2)
            mb_backdoor_write_u16(SPACE, at, word[15:0]);
        else if (!plain && len == 4)
            mb_backdoor_write_u32(SPACE, at, word[31:0]);
        else if (!plain && len == 8)
            mb_backdoor_write_u64(SPACE, at, word);
        else if (!plain && len == 64)
            moved(64, 64'(mb_backdoor_write_block(SPACE, at, block)));
        else if (!plain && len > 8) begin
            for (int unsigned i = 0; i < len - 1; i++)
                text = {text, string'(bytes[i])};
            shadow[from-FIRST+len-1] = 0;
            mb_backdoor_write_string(SPACE, at, text);
        end else
            moved(len, mb_backdoor_write_mem(SPACE, at, bytes, 64'(len)));
    endfunction

    function automatic void host_sees(int unsigned from, int unsigned len);
        longint unsigned  at = 64'(from);
        bytes_t           bytes;
        byte unsigned     block[64];
        byte unsigned     u8;
        shortint unsigned u16;
        int unsigned      u32;
        longint unsigned  u64;
        bit               plain = draw(0, 1) == 0;
        if (!plain && len == 1) begin
            mb_backdoor_read_u8(SPACE, at, u8);
            bytes[0] = u8;
        end else if (!plain && len == 2) begin
            mb_backdoor_read_u16(SPACE, at, u16);
            for (int i = 0; i < 2; i++)
                bytes[i] = u16[8*i+:8];
        end else if (!plain && len == 4) begin
            mb_backdoor_read_u32(SPACE, at, u32);
            for (int i = 0; i < 4; i++)
                bytes[i] = u32[8*i+:8];
        end else if (!plain && len == 8) begin
            mb_backdoor_read_u64(SPACE, at, u64);
            for (int i = 0; i < 8; i++)
                bytes[i] = u64[8*i+:8];
        end else if (!plain && len == 64) begin
            moved(64, 64'(mb_backdoor_read_block(SPACE, at, block)));
            bytes[0:63] = block;
        end else begin
            moved(len, mb_backdoor_read_mem(SPACE, at, bytes, 64'(len)));
        end
        for (int unsigned i = 0; i < len; i++)
            compare("the host", from + i, bytes[i]);
    endfunction

    function automatic void moved(int unsigned len, longint bytes);
        if (bytes != 64'(len)) begin
            $display("memories: %s: the host has moved %0d bytes and not %0d", doing, bytes, len);
            status = 1;
        end
    endfunction

    // Accesses an unreachable memory, whose error the host reports.
    function automatic void probe(int unsigned at);
        bytes_t bytes;
        longint written = mb_backdoor_write_mem(SPACE, 64'(at), bytes, 4);
        longint read = mb_backdoor_read_mem(SPACE, 64'(at), bytes, 4);
        $display("memories: probe of 0x%0x: write %0d, read %0d", at, written, read);
        finish(0);
    endfunction

    function automatic void mb_report(int severity, string id, string msg);
        string names[4] = '{"info", "warning", "error", "fatal"};
        $display("%s: %s: %s", names[severity], id, msg);
        if (severity >= 2)
            status = 1;
    endfunction

    // ---- The black box ----

    function automatic void mb_bb_mem_read(string name, longint unsigned at, output byte unsigned value);
        value = memories.box.bytes[12'(at)];
    endfunction

    function automatic void mb_bb_mem_write(string name, longint unsigned at, byte unsigned value);
        memories.box.bytes[12'(at)] = value;
    endfunction

`ifndef BLACK_BOX_BY_BYTE
    function automatic void mb_bb_mem_read_block(
        string name, longint unsigned at, int unsigned len, output byte unsigned block[64]);
        for (int unsigned i = 0; i < len; i++)
            mb_bb_mem_read(name, at + 64'(i), block[i]);
    endfunction

    function automatic void mb_bb_mem_write_block(
        string name, longint unsigned at, int unsigned len, byte unsigned block[64]);
        for (int unsigned i = 0; i < len; i++)
            mb_bb_mem_write(name, at + 64'(i), block[i]);
    endfunction
`endif
endmodule
