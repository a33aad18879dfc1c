// Where a chip has a UART: what firmware puts goes to a terminal, which is a client on TCP, and what is typed there firmware
// gets. Firmware calls the methods console_put and console_get, see host.sv; a model of a UART would call put and get.
package console_pkg;
    import mb_socket_pkg::*;

    class Console;
        protected MbSocket socket;
        // One at a time; 0 while there is none.
        protected int      terminal;

        function new();
            socket = new("console");
            $display("console: listens on port %0d", socket.port());
            $fflush;
        endfunction

        // Writes a character. False where it has to be tried again, since no terminal is there.
        function bit put(byte unsigned character);
            if (!connected())
                return 0;
            if (socket.write_u8(terminal, character) < 0)
                hang_up();
            return 1;
        endfunction

        // Reads a character. False where there is none yet.
        function bit get(output byte unsigned character);
            int count;
            if (!connected())
                return 0;
            count = socket.read_u8(terminal, character);
            if (count < 0)
                hang_up();
            return count > 0;
        endfunction

        protected function bit connected();
            if (terminal <= 0)
                terminal = socket.accept();
            return terminal > 0;
        endfunction

        // The next terminal goes on where this one was.
        protected function void hang_up();
            socket.disconnect(terminal);
            terminal = 0;
        endfunction
    endclass
endpackage
