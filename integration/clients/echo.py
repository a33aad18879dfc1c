"""Sends a mebibyte to the port in its argument, and checks that every byte comes back."""

import random
import socket
import sys
import threading

SIZE = 1 << 20

data = random.Random(7).randbytes(SIZE)
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as host:
    sender = threading.Thread(target=host.sendall, args=(data,))
    sender.start()
    echo = bytearray()
    while len(echo) < SIZE:
        piece = host.recv(1 << 16)
        if not piece:
            sys.exit(f"echo.py: the end of the stream after {len(echo)} of {SIZE} bytes")
        echo += piece
    sender.join()

wrong = next((at for at in range(SIZE) if echo[at] != data[at]), None)
if wrong is not None:
    sys.exit(f"echo.py: byte {wrong} is {echo[wrong]:#04x}, and not {data[wrong]:#04x}")
print(f"echo.py: {SIZE} bytes came back as they were sent")
