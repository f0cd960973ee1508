"""The public functions, one module per op family: checks, docstring, fake kernel, autograd."""
