// Echoes bytes of clients: sockets without a chip, and without an initialised host.
//
//   +clients=N    ends the run when N clients have connected and left (default 1)
module echo (
    input  bit clk,
    output int status
);
    import mb_socket_pkg::*;

    import "DPI-C" context function void mb_shutdown();

    MbSocket socket;
    int      clients[$];
    int      expected, gone;

    initial begin
        if ($value$plusargs("clients=%d", expected) == 0)
            expected = 1;
        socket = new("echo");
        if (!socket.is_open()) begin
            status = 255;
            $finish;
        end else begin
            socket.greet("");
            $display("echo: listens on port %0d", socket.port());
            $fflush;
        end
    end

    final mb_shutdown();

    always @(posedge clk)
        if (socket.is_open())
            serve();

    function automatic void serve();
        int staying[$];
        int id = socket.accept();
        if (id > 0)
            clients.push_back(id);
        foreach (clients[i]) begin
            if (echoed(clients[i])) begin
                staying.push_back(clients[i]);
            end else begin
                socket.disconnect(clients[i]);
                gone++;
            end
        end
        clients = staying;
        if (gone == expected)
            $finish;
    endfunction

    // Returns false if the client has left.
    function automatic bit echoed(int id);
        byte unsigned data[$];
        int           count = socket.read_bytes(id, data);
        if (count > 0)
            count = socket.write_bytes(id, data);
        return count >= 0;
    endfunction
endmodule
