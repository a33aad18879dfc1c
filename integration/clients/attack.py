"""Misbehaves towards the port that it is told, with random bytes: as five clients, one after the other."""

import random
import socket
import struct
import sys

noise = random.Random(8).randbytes(1 << 16)


def connect() -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(sys.argv[1])))


def reset(host: socket.socket) -> None:
    """Ends a connection as if the machine had gone."""
    host.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    host.close()


# Nothing at all.
connect().close()
reset(connect())

# Bytes, and gone before the answer.
with connect() as host:
    host.sendall(noise)
host = connect()
host.sendall(noise)
reset(host)

# Bytes for ever, and never a look at what comes back: it is the other end that has to put an end to it.
with connect() as host:
    try:
        while True:
            host.sendall(noise)
    except (ConnectionResetError, BrokenPipeError):
        print("attack.py: dropped")
