"""The certainty of each number: its words by the thresholds as they are printed, its numbers by our own formulas."""

import math

import numpy as np
import pytest
from scipy import stats

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
            spread = value(single(fit, estimand="tau")["median"])
        else:
            kappa = 1 / value(single(fit, estimand="rho")["median"]) - 1
            # A million rates leave 0.0007 of their standard deviation.
            rates = stats.beta(median * kappa, (1 - median) * kappa).ppf((np.arange(1_000_000) + 0.5) / 1e6)
            spread = float(np.std(np.log(rates / (1 - rates))))
        patients = sum(study.n for study in studies)
        assert value(row["spread"]) == pytest.approx(spread, rel=2e-3)
        rows.check(row, k_studies=len(studies), n_patients=patients, limits_ratio=ratio, spread=row["spread"],
                   indirect_n=INDIRECT[endpoint], missing_k=eligible - len(studies), eligible_k=eligible,
                   imprecision=word("imprecision", ratio), inconsistency=word("inconsistency", spread),
                   indirectness=word("indirectness", INDIRECT[endpoint] / patients),
                   missing=word("missing", (eligible - len(studies)) / eligible), endpoint=endpoint)
        assert not math.isclose(ratio, 4, rel_tol=0.01) and not math.isclose(spread, 0.5, rel_tol=0.01)
    rows.complete(stamp=None)
