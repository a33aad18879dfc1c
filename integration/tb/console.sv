// Model of a UART with a terminal, which is a TCP client: writes characters of firmware to the
// terminal, and reads typed characters for it. Firmware calls the methods console_put and
// console_get, see host.sv; a model of a UART would call put and get.
package console_pkg;
    import mb_socket_pkg::*;

    class Console;
        protected MbSocket socket;
        // Client id of the terminal, of which there is at most one; 0 without one.
        protected int      terminal;

        function new();
            socket = new("console");
            $display("console: listens on port %0d", socket.port());
            $fflush;
        endfunction

        // Writes a character. Returns false without a terminal: then the caller must try again.
        function bit put(byte unsigned character);
            if (!connected())
                return 0;
            if (socket.write_u8(terminal, character) < 0)
                hang_up();
            return 1;
        endfunction

        // Reads a character. Returns false if there is none yet.
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

        // Disconnects the terminal. The next one continues in its place.
        protected function void hang_up();
            socket.disconnect(terminal);
            terminal = 0;
        endfunction
    endclass
endpackage
