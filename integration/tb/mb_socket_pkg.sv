// Socket classes for the testbenches here.
package mb_socket_pkg;
    `include "mb_socket.sv"
endpackage
