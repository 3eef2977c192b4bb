"""Records that hold the magic number at every kind of place."""

import random
import struct

MAGIC = struct.pack("<I", 0xCED7230A)
PAYLOADS = [
    b"",
    b"a",
    b"abcd",
    MAGIC,
    MAGIC * 3,
    b"abcd" + MAGIC + b"efgh",
    b"ab" + MAGIC + b"cd" + MAGIC,  # the first one is not at a multiple of four, the second is
    b"abcdefg" + MAGIC,
    b"abcd" + MAGIC + b"x",
    MAGIC[:3],
    random.Random(4).randbytes(1001),
]
