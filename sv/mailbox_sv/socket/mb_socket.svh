// TCP server on 127.0.0.1 for a testbench, for debuggers, terminals and scripts.
//
// No function takes simulated time, or waits for a client: poll it on every clock, or every few
// clocks. See docs/sockets.md.
class MbSocket;
    // Maximum number of bytes that read_bytes returns.
    localparam int READ_MAX = 4096;

    protected chandle skt;

    // Listens on a port, or on a free one for 0. The name appears in greetings and reports.
    function new(string name, int unsigned port = 0);
        skt = c_skt_open(name, port);
    endfunction

    // Returns true if the socket listens. If it could not be opened, the reason was reported, and
    // every other call is an error.
    function bit is_open();
        return skt != null;
    endfunction

    function int port();
        return c_skt_port(skt);
    endfunction

    // Sets the greeting of later clients, with {name}, {id} and {addr} replaced; "" for none, as
    // binary protocols need it.
    function void greet(string text);
        c_skt_greet(skt, text);
    endfunction

    // Accepts a waiting client. Returns its id; 0 if there is none, -1 on error.
    function int accept();
        return c_skt_accept(skt);
    endfunction

    // Disconnects a client. Queued bytes are still sent.
    function void disconnect(int id);
        c_skt_disconnect(skt, id);
    endfunction

    // Stops listening and disconnects all clients.
    function void close();
        c_skt_close(skt);
        skt = null;
    endfunction

    // ---- Writes return the number of bytes sent or queued, which is all of them, or -1 ----

    function int write_u8(int id, byte unsigned data);
        return c_skt_write_u8(skt, id, data);
    endfunction

    function int write_u16(int id, shortint unsigned data);
        return c_skt_write_u16(skt, id, data);
    endfunction

    function int write_u32(int id, int unsigned data);
        return c_skt_write_u32(skt, id, data);
    endfunction

    function int write_u64(int id, longint unsigned data);
        return c_skt_write_u64(skt, id, data);
    endfunction

    // Writes a string and a NUL.
    function int write_string(int id, string data);
        return c_skt_write_string(skt, id, data);
    endfunction

    function int write_bytes(int id, byte unsigned data[$]);
        // Open arrays have a fixed size in Verilator, so the bytes are sent in parts of two sizes.
        byte unsigned block[1024], few[32];
        int           at = 0, moved = 0;
        while (at < data.size() && moved >= 0) begin
            if (data.size() - at >= $size(block)) begin
                foreach (block[i])
                    block[i] = data[at+i];
                moved = c_skt_write_bytes(skt, id, block);
            end else if (data.size() - at >= $size(few)) begin
                foreach (few[i])
                    few[i] = data[at+i];
                moved = c_skt_write_bytes(skt, id, few);
            end else begin
                moved = c_skt_write_u8(skt, id, data[at]);
            end
            at += moved;
        end
        return moved < 0 ? -1 : at;
    endfunction

    // ---- Reads return the number of bytes; 0 until all have arrived; -1 on error and at the end
    // of the stream ----

    function int read_u8(int id, output byte unsigned data);
        return c_skt_read_u8(skt, id, data);
    endfunction

    function int read_u16(int id, output shortint unsigned data);
        return c_skt_read_u16(skt, id, data);
    endfunction

    function int read_u32(int id, output int unsigned data);
        return c_skt_read_u32(skt, id, data);
    endfunction

    function int read_u64(int id, output longint unsigned data);
        return c_skt_read_u64(skt, id, data);
    endfunction

    // Reads a string up to its NUL, which is consumed and not returned.
    function int read_string(int id, output string data);
        return c_skt_read_string(skt, id, data);
    endfunction

    // Reads the bytes that have arrived, READ_MAX at most.
    function int read_bytes(int id, output byte unsigned data[$]);
        byte unsigned piece[READ_MAX];
        int           moved = c_skt_read_bytes(skt, id, piece);
        data = {};
        for (int i = 0; i < moved; i++)
            data.push_back(piece[i]);
        return moved;
    endfunction
endclass
