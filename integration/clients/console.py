"""Types on the console that firmware/console.c serves, as two terminals one after the other."""

import socket
import sys

port = int(sys.argv[1])


class Terminal:
    def __init__(self) -> None:
        self.host = socket.create_connection(("127.0.0.1", port))
        self.lines = self.host.makefile("rb")

    def types(self, *pieces: str) -> None:
        for piece in pieces:
            self.host.sendall(piece.encode())

    def sees(self, expected: str) -> None:
        seen = self.lines.read(len(expected)).decode()
        if seen != expected:
            sys.exit(f"console.py: the console shows {seen!r}, and not {expected!r}")

    def leaves(self) -> None:
        self.lines.close()
        self.host.close()


first = Terminal()
first.sees(f"[console-1] Connected to 127.0.0.1:{port}!\nnumbers?\n> ")
first.types("40 2\n")
first.sees("42\n> ")
# A line in several writes.
first.types("42949", "67292 1", " 1 ", "1\n")
first.sees("4294967295\n> ")
first.leaves()

second = Terminal()
second.sees(f"[console-2] Connected to 127.0.0.1:{port}!\n")
second.types("7\n\n")
second.sees("7\n> bye\n")
second.leaves()
print("console.py: two terminals were served")
