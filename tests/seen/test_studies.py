"""Tables of the evidence behind each number: studies, the conversion of survival, and the rows left out."""

import math

from scipy import stats

from tests.seen.checking import Table, ordered
from tests.seen.facts import ENDPOINTS, LEVEL, STUDIES, hazards, named, of_row, studies_of, study_of, table


def test_studies(seen):
    rows = Table(seen, "studies.csv")
    assert [(row["endpoint"], row["study_id"]) for row in rows.rows] == [
        (name, study.study_id) for name in ENDPOINTS for study in studies_of(name)
    ]
    for row in rows.rows:
        own = study_of(row, of_row(row))
        rows.known(row, "endpoint")
        rows.check(row, **named(own), year=STUDIES[own.study_id]["year"], tier=own.tier)
        if row["endpoint"] == "os":
            middle, low, high = own.survival(12)
            kind = "exact Poisson confidence" if own.months else "confidence, from the converted log hazard"
            rows.check(row, statistic=own.printed, raw=middle, raw_lower=low, raw_upper=high, raw_interval=kind,
                       events=None, population=own.definition, early=own.early)
        else:
            test = stats.binomtest(own.events, own.n).proportion_ci(0.95, "exact")
            rows.check(row, events=own.events, statistic=f"{own.events}/{own.n}", raw=own.events / own.n,
                       raw_lower=test.low, raw_upper=test.high, raw_interval="Clopper-Pearson confidence",
                       population=own.population, early=None)
        ordered(rows.numbers(row), "raw_lower", "raw", "raw_upper")
    rows.complete(subset="all", tiers="AB", level=LEVEL, risk_of_bias=None)


def test_survival_conversions(seen):
    rows = Table(seen, "survival_conversions.csv")
    rules = {"ash_2015": "interval, log-log scale", "birch_2016": "interval, log scale",
             "cedar_2017": "no interval: 1.25 x binomial", "elm_2018": "events and person-months (Poisson)",
             "fir_2019": "upper limit not reached: 1.25 x binomial"}
    read = {"ash_2015": 0.58, "cedar_2017": 0.81, "dogwood_2018": hazards()[3].survival(12)[0]}
    for row, own in zip(rows.rows, hazards(), strict=True):
        at = read.get(own.study_id, 0.5)
        rows.check(row, effective=None if own.months else (1 - at) / (at * (math.log(at) * own.estimate[1]) ** 2))
        rule = rules.get(own.study_id)
        rows.check(row, study_id=own.study_id, rows=" ".join(map(str, own.lines)), early=own.early,
                   statistic=own.printed, definition=own.definition, tier=own.tier, patients=own.n,
                   log_hazard=own.value, se_lower=own.below, se_upper=own.above, events=own.events,
                   person_months=own.months)
        assert rule in row["rule"] if rule else row["rule"].startswith("2 strata mixed at 12 months (")
        rows.known(row, "rule")
    rows.complete(endpoint="os", landmark_months=0, censored_at_hct=None, non_responders=None)


def test_left_out(seen):
    """Line and reason of every row that the headline does not use."""
    rows = Table(seen, "left_out.csv")
    wanted = {("cr", 7): "tier C", ("cr", 8): "not in the review set", ("cr", 9): "the study is retrospective",
              ("os", 4): "another row stands for this study at 12 months", ("os", 10): "tier C"}
    assert {(row["endpoint"], int(row["row"])) for row in rows.rows} == set(wanted)
    for row in rows.rows:
        file = "survival.csv" if row["endpoint"] == "os" else "responses.csv"
        line = table(file)[int(row["row"]) - 2]
        rows.known(row, "row")
        rows.check(row, table=file, reason=wanted[row["endpoint"], int(row["row"])], study_id=line["study_id"],
                   endpoint=line["endpoint"])
    rows.complete(subset="all", tiers="AB")
