// Sockets, as the testbenches here use them.
package mb_socket_pkg;
    `include "mb_socket.sv"
endpackage
