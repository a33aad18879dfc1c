// MbSocket and the functions `c_skt_*` for a package of the testbench, or for the compilation unit:
// `import` of a package that includes this file imports them. If mailbox_socket_pkg.sv or
// mailbox_if.sv is compiled before, all of them share one class; otherwise each has its own. A
// module can't include this file: `import mailbox_socket_pkg::*` has the same names.
`ifdef MAILBOX_SOCKET_PKG_SV
import mailbox_socket_pkg::*;
// A module can't export; its error message shows this line.
(* mb_socket = "in a module, import mailbox_socket_pkg::* instead of including mb_socket.sv" *) export mailbox_socket_pkg::MbSocket;
export mailbox_socket_pkg::c_skt_open;
export mailbox_socket_pkg::c_skt_port;
export mailbox_socket_pkg::c_skt_greet;
export mailbox_socket_pkg::c_skt_accept;
export mailbox_socket_pkg::c_skt_write_u8;
export mailbox_socket_pkg::c_skt_write_u16;
export mailbox_socket_pkg::c_skt_write_u32;
export mailbox_socket_pkg::c_skt_write_u64;
export mailbox_socket_pkg::c_skt_read_u8;
export mailbox_socket_pkg::c_skt_read_u16;
export mailbox_socket_pkg::c_skt_read_u32;
export mailbox_socket_pkg::c_skt_read_u64;
export mailbox_socket_pkg::c_skt_write_string;
export mailbox_socket_pkg::c_skt_read_string;
export mailbox_socket_pkg::c_skt_write_bytes;
export mailbox_socket_pkg::c_skt_read_bytes;
export mailbox_socket_pkg::c_skt_disconnect;
export mailbox_socket_pkg::c_skt_close;
`else
`include "socket/mb_socket_dpi.svh"
`include "socket/mb_socket.svh"
`endif
