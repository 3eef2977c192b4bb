"""Signal Labs helpers."""
