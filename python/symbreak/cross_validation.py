"""Which start, which support: the error corrected by the unknowns that a support leaves."""

from symbreak.ops.ranking import cross_validated_error, ranking

__all__ = ["cross_validated_error", "ranking"]
