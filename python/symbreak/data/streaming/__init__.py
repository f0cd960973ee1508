"""Data sets larger than memory: by chunks, on many workers, continued when interrupted."""
