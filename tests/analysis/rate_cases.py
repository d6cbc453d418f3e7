"""Counts on which rate models have failed before, or that are known from elsewhere: events and evaluable."""

from tests.references import peers

_PEERS = peers()

CASES = {
    "as_rbest": (_PEERS["as_rbest"]["events"], _PEERS["as_rbest"]["evaluable"]),
    "pritz_1997": (_PEERS["pritz_1997"]["events"], _PEERS["pritz_1997"]["evaluable"]),
    "homogeneous": ([15] * 8, [60] * 8),
    "all_successes": ([20] * 8, [20] * 8),
    "no_events": ([0] * 8, [20] * 8),
    "two_studies": ([5, 8], [10, 10]),
    "one_study": ([7], [10]),
    "one_patient_each": ([1, 0, 1, 1, 1], [1, 1, 1, 1, 1]),
    "very_unequal": ([1, 90_000, 3, 30], [1, 100_000, 5, 40]),
    "large_and_homogeneous": ([25_000] * 3, [100_000] * 3),
    "millions": ([999_000, 999_500, 1_000_000], [1_000_000] * 3),
}
