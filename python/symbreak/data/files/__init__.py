"""Arrays, reconstructions and volumes in files: found, read, and written whole or not at all."""
