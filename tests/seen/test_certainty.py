"""The certainty of each number: its words by the thresholds as they are printed, its numbers by our own formulas."""

import math

import numpy as np
import pytest
from scipy import special

from tests.seen.checking import Table, chosen, limits, single, value
from tests.seen.facts import ENDPOINTS, STUDIES, is_asked, studies_of
from tests.seen.fitted import headline_rows
from tests.seen.headline import MAIN

WORDS = {"imprecision": (("precise", "imprecise", "very imprecise"), 4, 25),
         "inconsistency": (("consistent", "inconsistent", "very inconsistent"), 0.5, 1),
         "indirectness": (("direct", "partly indirect", "indirect"), 0.25, 0.5),
         "missing": (("few", "many", "most"), 0.25, 0.5)}
INDIRECT = {"cr": 41 + 52 + 31, "tox": 41 + 52, "os": 41 + 52 + 15}
"""Combined cohorts; of remission also an evaluable base, of survival one that is read at 4 months."""


def word(name: str, number: float) -> str:
    words, low, high = WORDS[name]
    return words[0] if number <= low else words[1] if number <= high else words[2]


def within(name: str, number: float, lower: float, upper: float) -> str:
    """The word, with doubt where the interval lies on both sides of the limit that it rests on."""
    words, low, high = WORDS[name]
    found = word(name, number)
    limit = high if found == words[2] else low
    return found if not lower <= limit < upper else f"probably {found}"


def of_logits(mean: float, rho: float) -> float:
    """Standard deviation of the log odds of rates, over their density."""
    a, b = mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1)
    z = np.linspace(-40 / min(a, 1), 40 / min(b, 1), 200_001)
    weight = np.exp(a * special.log_expit(z) + b * special.log_expit(-z) - special.betaln(a, b))
    assert np.trapezoid(weight, z) == pytest.approx(1, abs=1e-6)
    return float(np.sqrt(np.cov(z, aweights=weight)))


def test_certainty(seen):
    rows = Table(seen, "certainty.csv")
    eligible = sum(is_asked(study_id, "all") for study_id in STUDIES)
    assert [row["endpoint"] for row in rows.rows] == list(ENDPOINTS) and eligible == 7
    for row in rows.rows:
        endpoint, studies = row["endpoint"], studies_of(row["endpoint"])
        fit = chosen(headline_rows(seen, endpoint), study_id="")
        main = single(fit, estimand=MAIN[endpoint])
        median, lower, upper = limits(main)
        ratio = upper / (1 - upper) / (lower / (1 - lower))
        if endpoint == "os":
            spread, *ends = limits(single(fit, estimand="tau"))
        else:
            spread, *ends = (of_logits(median, rho) for rho in limits(single(fit, estimand="rho")))
        patients = sum(study.n for study in studies)
        found = [value(row[name]) for name in ("spread", "spread_lower", "spread_upper")]
        assert found == pytest.approx([spread, *ends], rel=2e-2)
        rows.check(row, k_studies=len(studies), n_patients=patients, limits_ratio=ratio,
                   **{name: row[name] for name in ("spread", "spread_lower", "spread_upper")},
                   indirect_n=INDIRECT[endpoint], missing_k=eligible - len(studies), eligible_k=eligible,
                   imprecision=word("imprecision", ratio), inconsistency=within("inconsistency", spread, *ends),
                   indirectness=word("indirectness", INDIRECT[endpoint] / patients),
                   missing=word("missing", (eligible - len(studies)) / eligible), endpoint=endpoint)
        assert not math.isclose(ratio, 4, rel_tol=0.01) and not math.isclose(spread, 0.5, rel_tol=0.01)
    rows.complete(stamp=None)
