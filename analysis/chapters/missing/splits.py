"""Ways to spread a number of events over studies of known sizes."""

from collections.abc import Sequence


def in_proportion(total: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """The most even split: shares in proportion to the sizes, whole numbers by largest remainder.

    Parameters
    ----------
    total : int
        0 to the sum of the sizes.
    sizes : sequence of int
        Patients of each study; no share exceeds its own.
    """
    patients = sum(sizes)
    if not patients:
        return tuple(0 for _ in sizes)
    shares = [total * size // patients for size in sizes]
    order = sorted(range(len(sizes)), key=lambda at: (-(total * sizes[at] % patients), at))
    for at in order[:total - sum(shares)]:
        shares[at] += 1
    return tuple(shares)


def filled(total: int, sizes: Sequence[int], *, largest_first: bool) -> tuple[int, ...]:
    """A most uneven split: study after study has the event in all its patients until none is left.

    All studies but one are then at 0 or at all. With the largest first the unweighted mean of the study rates is the
    smallest that any split has, with the smallest first the largest.
    """
    shares = [0] * len(sizes)
    for at in sorted(range(len(sizes)), key=lambda at: sizes[at], reverse=largest_first):
        shares[at] = min(sizes[at], total)
        total -= shares[at]
    return tuple(shares)
