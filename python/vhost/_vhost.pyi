"""Native module of the library: the backdoor into the memories of the chip. Numbers are little
endian in memory.

Any thread may call while no other one is inside a call of the library: `docs/python.md` has the
rules for threads.
"""

from typing_extensions import Buffer

__all__ = [
    "Error",
    "__version__",
    "get_space",
    "py_mb_backdoor_read_bytes",
    "py_mb_backdoor_read_into",
    "py_mb_backdoor_read_string",
    "py_mb_backdoor_read_u8",
    "py_mb_backdoor_read_u16",
    "py_mb_backdoor_read_u32",
    "py_mb_backdoor_read_u64",
    "py_mb_backdoor_write_bytes",
    "py_mb_backdoor_write_string",
    "py_mb_backdoor_write_u8",
    "py_mb_backdoor_write_u16",
    "py_mb_backdoor_write_u32",
    "py_mb_backdoor_write_u64",
    "py_mb_get_space",
    "read_bytes",
    "read_into",
    "read_string",
    "read_u8",
    "read_u16",
    "read_u32",
    "read_u64",
    "replace_traps",
    "semihost",
    "symbol",
    "write_bytes",
    "write_string",
    "write_u8",
    "write_u16",
    "write_u32",
    "write_u64",
]

__version__: str

class Error(RuntimeError):
    """Failed operation of the system, with the reason."""

def get_space(ch: str) -> str:
    """Returns the space of a channel."""

def symbol(place: str, name: str) -> tuple[int, int]:
    """Returns value and size of a symbol in a channel's image, or in an image of a space."""

def semihost(ch: str, hart: int, op: int, arg: int) -> int | None:
    """Executes a semihosting operation of firmware. Returns the value for a0, or None while it
    waits for input."""

def replace_traps(ch: str, addr: int, size: int) -> int:
    """Replaces semihosting traps in code that firmware has copied or unpacked itself. Returns the
    number of replaced traps."""

def read_u8(space: str, addr: int) -> int: ...
def read_u16(space: str, addr: int) -> int: ...
def read_u32(space: str, addr: int) -> int: ...
def read_u64(space: str, addr: int) -> int: ...
def write_u8(space: str, addr: int, data: int) -> None: ...
def write_u16(space: str, addr: int, data: int) -> None: ...
def write_u32(space: str, addr: int, data: int) -> None: ...
def write_u64(space: str, addr: int, data: int) -> None: ...
def read_bytes(space: str, addr: int, n: int) -> bytes:
    """Reads `n` bytes."""

def read_into(space: str, addr: int, buffer: Buffer) -> int:
    """Fills a writable buffer, such as a bytearray or NumPy array. Returns the number of bytes."""

def write_bytes(space: str, addr: int, data: Buffer) -> None:
    """Writes all of a buffer, such as bytes or a NumPy array."""

def read_string(space: str, addr: int) -> str:
    """Reads a NUL-terminated string; bytes that are not UTF-8 become surrogates."""

def write_string(space: str, addr: int, data: str) -> None:
    """Writes a string and its NUL."""

# Established names.
py_mb_get_space = get_space
py_mb_backdoor_read_u8 = read_u8
py_mb_backdoor_read_u16 = read_u16
py_mb_backdoor_read_u32 = read_u32
py_mb_backdoor_read_u64 = read_u64
py_mb_backdoor_read_bytes = read_bytes
py_mb_backdoor_read_into = read_into
py_mb_backdoor_read_string = read_string
py_mb_backdoor_write_u8 = write_u8
py_mb_backdoor_write_u16 = write_u16
py_mb_backdoor_write_u32 = write_u32
py_mb_backdoor_write_u64 = write_u64
py_mb_backdoor_write_bytes = write_bytes
py_mb_backdoor_write_string = write_string
