"""Training networks for phase retrieval; `fit` and `module` need ``pip install 'symbreak[train]'``.

Nothing is imported here: `datasets`, `networks` and `evaluate` need PyTorch only.
"""
