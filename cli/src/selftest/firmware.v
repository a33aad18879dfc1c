// Memory with a channel, and firmware without a CPU: it puts requests into the channel like a
// program, and checks the responses. Plain Verilog, for all simulators.
`timescale 1ns/1ps

module firmware (
    input  wire clk,
    // Number of checks so far.
    output reg  [31:0] checks
);
    // The host accesses it by its path.
    reg [31:0] ram [0:1023] /*verilator public_flat_rw*/;

    // Word offsets in the channel at address 0x100, with pointers of 32 bits and no cache line.
    localparam VERSION = 64, STATE = 65, REQUESTS_PUT = 67, REQUESTS = 68, REQUESTS_TAKEN = 244;
    localparam RESPONSES_PUT = 246, RESPONSES = 247, RESPONSES_TAKEN = 263;
    localparam INIT = 1, READY = 2;

    localparam EXIT = 1, PRINT = 2, MEMMOVE = 4, MEMSET = 5, MEMCMP = 6, CALL = 7, FILE = 8;
    localparam OPEN = 0, CLOSE = 1, READ = 2, WRITE = 3, SEEK = 4;
    localparam ENOENT = 2, EBADF = 9, EFAULT = 14, ENOSYS = 38;

    // Addresses of texts and buffers.
    localparam TEXT = 'h800, NAME = 'h880, FROM = 'h900, TO = 'h980, OUTSIDE = 'h10000;

    integer slot, at, bytes, failed;
    reg [31:0] result, descriptor;
    reg has_value;

    // Writes a text with a NUL, and counts its bytes.
    task put_text;
        input [31:0] address;
        input [8*64-1:0] text;
        integer from;
        begin
            bytes = 0;
            for (from = 63; from >= 0; from = from - 1)
                if (text[8*from +: 8] != 0) begin
                    put_byte(address + bytes, text[8*from +: 8]);
                    bytes = bytes + 1;
                end
            put_byte(address + bytes, 0);
        end
    endtask

    task put_byte;
        input [31:0] address;
        input [7:0] value;
        ram[address[11:2]][8*address[1:0] +: 8] = value;
    endtask

    // Makes the handshake. The host resets all indices to 0.
    task handshake;
        begin
            ram[VERSION] = 2;
            ram[STATE] = INIT;
            ram[REQUESTS_PUT] = 0;
            ram[REQUESTS_TAKEN] = 0;
            ram[RESPONSES_PUT] = 0;
            ram[RESPONSES_TAKEN] = 0;
            @(posedge clk);
            while (ram[STATE] !== READY)
                @(posedge clk);
        end
    endtask

    // Puts a request with four words of arguments.
    task put_request;
        input [31:0] action, words, a, b, c, d;
        begin
            slot = ram[REQUESTS_PUT] & 7;
            at = REQUESTS + 22 * slot;
            ram[at] = action;
            ram[at + 1] = words;
            ram[at + 2] = a;
            ram[at + 3] = b;
            ram[at + 4] = c;
            ram[at + 5] = d;
            ram[REQUESTS_PUT] = ram[REQUESTS_PUT] + 1;
            @(posedge clk);
        end
    endtask

    // Puts a request, and takes its response.
    task request;
        input [31:0] action, words, a, b, c, d;
        begin
            put_request(action, words, a, b, c, d);
            while (ram[RESPONSES_PUT] === ram[RESPONSES_TAKEN])
                @(posedge clk);
            slot = ram[RESPONSES_TAKEN] & 7;
            has_value = ram[RESPONSES + 2 * slot] === 1;
            result = ram[RESPONSES + 2 * slot + 1];
            ram[RESPONSES_TAKEN] = ram[RESPONSES_TAKEN] + 1;
        end
    endtask

    task check;
        input is_good;
        begin
            checks = checks + 1;
            if (is_good !== 1) begin
                $display("self-test: check %0d failed: result %h", checks, result);
                if (failed == 0)
                    failed = checks;
            end
        end
    endtask

    initial begin
        checks = 0;
        failed = 0;
        repeat (4) @(posedge clk);
        handshake;

        put_text(TEXT, "hello from the self-test\n");
        request(PRINT, 2, bytes, TEXT, 0, 0);
        check(!has_value);

        request(MEMSET, 3, FROM, 'h5a, 16, 0);
        check(!has_value);
        check(ram[FROM / 4] === 32'h5a5a5a5a && ram[FROM / 4 + 3] === 32'h5a5a5a5a);
        put_text(FROM + 4, "abc");
        request(MEMMOVE, 3, TO + 1, FROM + 1, 14, 0);
        check(ram[TO / 4 + 1] === 32'h00636261);
        request(MEMCMP, 3, TO + 1, FROM + 1, 14, 0);
        check(has_value && result === 0);
        put_byte(TO + 4, "b");
        request(MEMCMP, 3, TO + 1, FROM + 1, 14, 0);
        check(has_value && result === 1);
        request(MEMSET, 3, OUTSIDE, 0, 4, 0);
        check(result === -EFAULT);

        put_text(NAME, "add");
        request(CALL, 3, NAME, 40, 2, 0);
        check(has_value && result === 42);
        put_text(NAME, "wait");
        request(CALL, 2, NAME, 20, 0, 0);
        check(has_value && result === 20);
        put_text(NAME, "missing");
        request(CALL, 1, NAME, 0, 0, 0);
        check(result === -ENOSYS);

        put_text(NAME, "missing.txt");
        request(FILE, 3, OPEN, NAME, 1, 0);
        check(result === -ENOENT);
        put_text(NAME, "notes.txt");
        request(FILE, 3, OPEN, NAME, 11, 0);
        descriptor = result;
        check(has_value && result >= 10 && result < 1000);
        put_text(TEXT, "a few bytes");
        request(FILE, 4, WRITE, descriptor, TEXT, bytes);
        check(result === bytes);
        request(FILE, 3, SEEK, descriptor, 2, 0);
        check(result === 2);
        request(FILE, 4, READ, descriptor, TO, 64);
        check(result === bytes - 2 && ram[TO / 4] === {" ", "w", "e", "f"});
        put_request(FILE, 2, CLOSE, descriptor, 0, 0);
        request(FILE, 4, READ, descriptor, TO, 4);
        check(result === -EBADF);

        // A new session, in which more requests are put than a queue has slots.
        handshake;
        put_text(TEXT, "again\n");
        repeat (9) begin
            request(PRINT, 2, bytes, TEXT, 0, 0);
            check(!has_value);
        end
        put_request(EXIT, 1, failed, 0, 0, 0);
    end
endmodule
