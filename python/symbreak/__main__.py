"""``python -m symbreak`` is the ``symbreak`` command."""

from symbreak.cli import main

if __name__ == "__main__":
    main()
