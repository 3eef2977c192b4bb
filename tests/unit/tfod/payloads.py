"""Records of every kind, for TensorFlow's writer and for ours."""

import random

PAYLOADS = [b"", b"a", bytes(8), b"\xff" * 127, random.Random(4).randbytes(1001), random.Random(5).randbytes(1 << 16)]

EXAMPLES = [
    {},
    {"image/encoded": ("bytes", [random.Random(6).randbytes(300)]), "image/height": ("int64", [480])},
    {
        "image/object/bbox/xmin": ("float", [0.0, 0.1, 1.0, 1e-8]),
        "image/object/class/label": ("int64", [1, 127, 128, 300, 2**40]),
        "image/object/class/text": ("bytes", [b"signal", "Zürich".encode(), b""]),
        "image/source_id": ("bytes", [b"17"]),
    },
    {"empty/bytes": ("bytes", []), "empty/float": ("float", []), "empty/int64": ("int64", [])},
    {"negative": ("int64", [-1, -(2**63), 2**63 - 1, 0]), "special": ("float", [-0.0, float("inf"), 3.4e38])},
    {
        "signal/Ü": ("bytes", [b"x"]),
        "a": ("int64", [0]),
        "B": ("int64", [0]),
        "image/key/sha256": ("bytes", [b"0" * 64]),
    },
]
