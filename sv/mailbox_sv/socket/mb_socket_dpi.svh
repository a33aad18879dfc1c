// Socket functions of the library, see include/vhost.h. MbSocket is a class that is easier to use.

import "DPI-C" context function chandle c_skt_open(input string name, input int unsigned port);
import "DPI-C" context function int c_skt_port(input chandle skt);
import "DPI-C" context function void c_skt_greet(input chandle skt, input string text);
import "DPI-C" context function int c_skt_accept(input chandle skt);

import "DPI-C" context function int c_skt_write_u8(input chandle skt, input int id, input byte unsigned data);
import "DPI-C" context function int c_skt_write_u16(input chandle skt, input int id, input shortint unsigned data);
import "DPI-C" context function int c_skt_write_u32(input chandle skt, input int id, input int unsigned data);
import "DPI-C" context function int c_skt_write_u64(input chandle skt, input int id, input longint unsigned data);

import "DPI-C" context function int c_skt_read_u8(input chandle skt, input int id, output byte unsigned data);
import "DPI-C" context function int c_skt_read_u16(input chandle skt, input int id, output shortint unsigned data);
import "DPI-C" context function int c_skt_read_u32(input chandle skt, input int id, output int unsigned data);
import "DPI-C" context function int c_skt_read_u64(input chandle skt, input int id, output longint unsigned data);

import "DPI-C" context function int c_skt_write_string(input chandle skt, input int id, input string s);
import "DPI-C" context function int c_skt_read_string(input chandle skt, input int id, output string s);

// In Verilator, the actual arguments must be arrays of a fixed size.
import "DPI-C" context function int c_skt_write_bytes(input chandle skt, input int id, input byte unsigned data[]);
import "DPI-C" context function int c_skt_read_bytes(input chandle skt, input int id, output byte unsigned data[]);

import "DPI-C" context function void c_skt_disconnect(input chandle skt, input int id);
import "DPI-C" context function void c_skt_close(input chandle skt);
