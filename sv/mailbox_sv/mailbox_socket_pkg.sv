// Sockets of the library: the functions `c_skt_*`, and MbSocket based on them. It exports nothing
// to the library, so that testbenches with their own exports can use this package, too.
`ifndef MAILBOX_SOCKET_PKG_SV
`define MAILBOX_SOCKET_PKG_SV

package mailbox_socket_pkg;
    `include "socket/mb_socket_dpi.svh"
    `include "socket/mb_socket.svh"
endpackage

`endif
