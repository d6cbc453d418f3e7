"""Tables of what a conclusion hangs on: each choice and each prior in turn."""

import math

import pytest

from tests.seen import facts
from tests.seen.checking import Table, chosen, limits
from tests.seen.facts import ENDPOINTS, LEVEL, Counts, counts, size, studies_of, table
from tests.seen.headline import HEADLINE, MAIN, SPREAD, headline, main_limits, months, question
from tests.seen.posterior import DEFAULTS, arguments, likelihood, posterior, prior, priors


def _changed(row) -> list:
    """The studies of a variant: the headline's with what the column `studies` says, or what the label says."""
    endpoint, label = row["endpoint"], row["variant"]
    if endpoint == "os":
        return _changed_hazards(row, label)
    own = {study.study_id: study for study in studies_of(endpoint)}
    for text in row["studies"].removeprefix("'").split():
        name, _, cell = text[1:].partition(":")
        if text[0] == "-":
            del own[name]
        else:
            y, n = map(int, cell.split("/"))
            own[name] = Counts(name, y, n, "", "")
    return list(own.values())


def _changed_hazards(row, label: str) -> list:
    whole = studies_of("os")
    if row["dimension"] == "factor":
        return facts.hazards(factor=float(label.split()[0]))
    if row["dimension"] == "joint":
        first, second = (_changed_hazards({"dimension": ""}, part) for part in label.split(" and "))
        return [study for study in first if study in second]
    return {"without EFS": [study for study in whole if study.definition != "EFS"],
            "the landmark where both are printed": [
                facts.birch_landmark() if study.study_id == "birch_2016" else study for study in whole],
            "no landmark before 6 months": facts.hazards(early=False),
            "tiers A": studies_of("os", tiers="A"),
            "tier A": studies_of("os", tiers="A"),
            "tiers A, B, C": studies_of("os", tiers="ABC"),
            "with Gum 2020 (median)": studies_of("os", tiers="ABC")}.get(label, whole)


def _cells(studies) -> dict[str, tuple[int, int]]:
    return {study.study_id: (study.events, study.n) for study in studies}


def _contents(endpoint: str) -> dict:
    """What a rate's variants must consist of, by label and by hand."""
    if endpoint == "os":
        return {}
    both, everyone = _cells(counts(endpoint)), _cells(counts(endpoint, tiers="ABC", study_set="all"))

    def without(column: str, text: str) -> dict:
        rows = {row["study_id"] for row in table("responses.csv") if row["endpoint"] == endpoint
                and row[column] == text}
        return {name: cell for name, cell in both.items() if name not in rows}

    return {"tier A": _cells(counts(endpoint, tiers="A")),
            "tiers A, B, C": {**both, "gum_2020": everyone.get("gum_2020")},
            "with Gum 2020 (15/28)": {**both, "gum_2020": (15, 28)},
            "review and extension studies": {**both, "hazel_2021": (50, 63)},
            **{f"without: {text}": without("timing", text) for text in ("day 28", "month 3")},
            **{f"without: {text}": without("grading", text) for text in ("Lee", "Penn")},
            "enrolled, known for 2 of 5 studies": {**both, "ash_2015": (20, 30), "dogwood_2018": (21, 37)},
            **{f"Dogwood 2018: {y}/29 for 21/31": {**both, "dogwood_2018": (y, 29)} for y in (19, 20, 21)}}


def test_sensitivity(seen):
    rows = Table(seen, "sensitivity.csv")
    for endpoint in ENDPOINTS:
        own = chosen(rows.rows, endpoint=endpoint)
        assert own[0]["dimension"] == own[0]["variant"] == "headline"
        assert len({(row["dimension"], row["variant"]) for row in own}) == len(own) > 15
        for row in own:
            _variant(rows, row, own[0])
    rows.complete(level=LEVEL, status="computed", reason=None, stamp=None)


def _variant(rows, row, first) -> None:
    endpoint, model, studies = row["endpoint"], row["model"], _changed(row)
    by_hand = _contents(endpoint).get(row["variant"])
    if by_hand is not None:
        assert _cells(studies) == by_hand, row["variant"]
    elif row["dimension"] in ("headline", "prior", "family", "family_prior"):
        assert not row["studies"]
    assert row["dimension"] not in ("family", "family_prior") or model == "logit_normal"
    plane = posterior(model, studies, priors(row["priors"]))
    tiers = {"tier A": "A", "tiers A, B, C": "ABC"}.get(row["variant"],
                                                        "ABC" if row["dimension"] == "tier_row" else "AB")
    factor = float(row["variant"].split()[0]) if row["dimension"] == "factor" else 1.25
    rows.known(row, "dimension variant priors studies")
    rows.check(row, **question(endpoint) | {"model": model}, **size(studies), tiers=tiers,
               published={"cr": "0.76", "tox": "0.21", "os": "0.61"}[endpoint], heterogeneity=SPREAD[endpoint],
               study_set="all" if row["dimension"] == "study_set" else "review",
               factor=factor if endpoint == "os" else None)
    if row["dimension"] == "prior":
        parts = dict(part.split(" ~ ") for part in row["variant"].split("; "))
        usual = priors(first["priors"])
        for name, text in priors(row["priors"]).items():
            assert arguments(text) == pytest.approx(arguments(parts.get(name, usual[name])), rel=6e-3), row["variant"]
    rows.limits(row, main_limits(plane, endpoint), within=5e-4)
    _new_study(rows, row, plane)
    spread = row["heterogeneity"]
    rows.check(row, within=0.01 * plane.sd(spread) + 1e-5, heterogeneity_median=plane.quantile(spread, 0.5))
    _conclusion(rows, row, first)


def _new_study(rows, row, plane) -> None:
    shown = limits(row, "new_")
    for x, p in zip(shown, (0.5, 0.025, 0.975), strict=True):
        assert plane.new_below(x, months(row["endpoint"])) == pytest.approx(p, abs=4e-3), (row, x)
    rows.limits(row, shown, prefix="new_", within=0.0)


def _conclusion(rows, row, first) -> None:
    own, head = rows.numbers(row), rows.numbers(first)
    change, width = own["median"] - head["median"], head["upper"] - head["lower"]
    printed = float(row["published"])
    moves = abs(change) > width / 2
    outside = not (head["lower"] <= own["median"] <= head["upper"] and own["lower"] <= head["median"] <= own["upper"])
    crosses = (own["lower"] <= printed <= own["upper"]) != (head["lower"] <= printed <= head["upper"])
    rows.check(row, within=2e-4, change=100 * change)
    # With a constant hazard the median is 12 months times log 2 over -log of survival at 12 months.
    times = [12 * math.log(2) / -math.log(one["median"]) for one in (own, head)]
    months = times[0] - times[1] if row["endpoint"] == "os" else None
    rows.check(row, within=5e-3, change_months=months)
    far, far_months = 100 * abs(change) > 5, None if months is None else abs(months) > 2
    rows.check(row, moves=moves, far=far, far_months=far_months, outside=outside, crosses=crosses,
               changes=moves or far or bool(far_months) or outside or crosses)


def test_power_scaling(seen):
    rows = Table(seen, "power_scaling.csv")
    assert [(row["endpoint"], row["scaled"]) for row in rows.rows] == [
        (endpoint, name)
        for endpoint in ENDPOINTS
        for name in ("likelihood", "prior", *(("eta", "tau") if endpoint == "os" else ("mu", "rho")))
    ]
    for row in rows.rows:
        endpoint, studies = row["endpoint"], studies_of(row["endpoint"])
        model, given = HEADLINE[endpoint], DEFAULTS[HEADLINE[endpoint]]
        logs = {name: prior(text)(part)
                for (name, text), part in zip(given.items(), headline(endpoint).at, strict=True)}
        logs |= {"prior": sum(logs.values()), "likelihood": sum(likelihood(model, study) for study in studies)}
        planes = {alpha: posterior(model, studies, extra=(alpha - 1) * logs[row["scaled"]])
                  for alpha in (0.8, 1.25)} | {1.0: headline(endpoint)}
        means = {alpha: plane.mean(MAIN[endpoint], months(endpoint)) for alpha, plane in planes.items()}
        sd = planes[1.0].sd(MAIN[endpoint], months(endpoint))
        rows.check(row, within=3e-4, mean=means[1.0], mean_low=means[0.8], mean_high=means[1.25], sd=sd,
                   **{name: main_limits(planes[alpha], endpoint)[0]
                      for name, alpha in (("median", 1.0), ("median_low", 0.8), ("median_high", 1.25))})
        rows.check(row, within=3e-3, shift=(means[1.25] - means[0.8]) / sd / math.log2(1.25 / 0.8))
        words = {name: f"{name} ~ {text}" for name, text in given.items()}
        wanted = {"likelihood": None, "prior": "; ".join(words.values())}.get(row["scaled"], words.get(row["scaled"]))
        rows.check(row, **question(endpoint), **size(studies), scaled=row["scaled"], flat=row["scaled"] == "mu",
                   prior=wanted if endpoint != "os" else lambda text: True)
    rows.complete(tiers="AB", study_set="review", alpha_low=0.8, alpha_high=1.25, status="computed", reason=None,
                  stamp=None)
