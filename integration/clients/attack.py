"""Misbehaves towards the port in its argument with random bytes, as five clients one after the
other."""

import random
import socket
import struct
import sys

noise = random.Random(8).randbytes(1 << 16)


def connect() -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def reset(host: socket.socket) -> None:
    """Ends a connection with a reset, as a crashed machine does."""
    host.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    host.close()


# No byte at all.
connect().close()
reset(connect())

# Bytes, and the end of the connection before the echo.
with connect() as host:
    host.sendall(noise)
host = connect()
host.sendall(noise)
reset(host)

# Bytes without end, and no read of the echo: the server must end the connection.
with connect() as host:
    try:
        while True:
            host.sendall(noise)
    except (ConnectionResetError, BrokenPipeError):
        print("attack.py: dropped")
