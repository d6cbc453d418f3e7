"""No estimand of one fit is shown with two values: read from every table of the page, and from files beside it."""

import re
from collections.abc import Iterator

import pytest

from analysis.inference.estimands import LABELS as ESTIMANDS
from tests.report.reading import whole
from tests.seen.captions import endpoint_of, expected
from tests.seen.cells import Row, Tables
from tests.seen.checking import DIGITS, chosen, ends, limits, value
from tests.seen.facts import SUBSET_LABELS

LIMITS = ends()
STEPS = {"prior": None, "error rule": "exponential", "shape": "weibull"}
MODELS = {"log_hazard": "Constant hazard, medians", "exponential": "Constant hazard, points", "weibull": "Falling",
          "mixture_cure": "Plateau"}
Key = tuple[str, ...]
"""Endpoint, model, subset, tiers, early landmarks, estimand and months."""


def names(row: Row) -> tuple[str, str, str]:
    """The pooled estimand, that of a new study, and the heterogeneity."""
    survival = (row.get("our_endpoint") or row["endpoint"]) == "os"
    return ("survival", "new_study_survival", "tau") if survival else ("mean_rate", "new_study_rate", "rho")


def key(row: Row, estimand: str, model: str | None = None, months: str = "") -> Key:
    endpoint = row.get("our_endpoint") or row["endpoint"]
    headline = "log_hazard" if endpoint == "os" else "beta_binomial"
    if endpoint == "os" and estimand in ("survival", "new_study_survival"):
        months = months or row.get("time_months") or "12"
    return (endpoint, model or row.get("model") or headline, row.get("subset") or "all", row.get("tiers") or "AB",
            row.get("early_landmarks") or "true", estimand, months)


def shown(caption: str, row: Row) -> Iterator[tuple[str, Key, tuple[str, ...]]]:
    """Head, key and columns of each estimate that a row of a table shows."""
    if not (row.get("our_endpoint") or row.get("endpoint")):
        return
    main, new, spread = names(row)
    whole = "Survival" if main == "survival" else "Mean rate"
    if caption.startswith(("Published estimates", "Further printings")) and row["transform"] == "identity":
        yield "Reanalysis", key(row, row["estimand"]), LIMITS
    elif caption.startswith("Pooled estimate") or ": the headline and" in caption:
        pooled = caption.startswith("Pooled")
        heads = ("Pooled" if pooled else whole, "New study", "Heterogeneity" if pooled else spread)
        for head, prefix, estimand in zip(heads, ("", "new_", "spread_"), (main, new, spread), strict=True):
            yield head, key(row, estimand), ends(prefix)
    elif caption.startswith("Each refit") and row["dimension"] in ("headline", "family", "tiers"):
        yield whole, key(row, main), LIMITS
        yield "New study", key(row, new), ends("new_")
        yield spread, key(row, row["heterogeneity"]), ("heterogeneity_median",)
    elif caption.startswith("The choice that moves"):
        yield "Headline", key({"endpoint": row["endpoint"]}, main), ends("head_")
    elif caption.startswith("Predictive probability"):
        yield "Without the total", key(row, main), ends("known_")
    elif caption.startswith("The mean rate under") and row["bound"] == "headline":
        yield "Mean rate", key(row, main), LIMITS
    elif caption.startswith("Each subset"):
        yield "In it", key(row, main), ends("subset_")
    elif caption.startswith("Steps from") and row["step"] in STEPS:
        yield "Estimate", key(row, row["estimand"], STEPS[row["step"]]), ("estimate", "lower", "upper")
    elif caption.startswith("Survival by four"):
        for model in (model for model in MODELS if model in row):
            yield MODELS[model], key(row, row["estimand"], model, row["time_months"]), tuple(
                f"{model} {name}" for name in LIMITS)


def cells(seen, page: Tables) -> Iterator[tuple[Key, str, list[str], list[float]]]:
    """Key, place, printed numbers and the file's numbers of each estimate on the page."""
    for heading, caption, (heads, *rows) in page.every:
        found = expected(seen, heading, caption)
        for cell, row in zip(rows, found[1] if found else (), strict=bool(found)):
            by_model = [model for model in MODELS if isinstance(row.get(model), dict)]
            flat = {**row, **{f"{model} {name}": row[model][name] for model in by_model for name in LIMITS}}
            for head, of, columns in shown(caption, flat):
                (at,) = [at for at, one in enumerate(heads) if one.startswith(head)]
                yield of, f"{caption}: {head}", printed(cell[at]), [value(flat[name]) for name in columns]
        if "by subset" in caption:
            yield from _by_subset(heading, rows)


def _by_subset(heading: str, rows) -> Iterator[tuple[Key, str, list[str], list[float]]]:
    endpoint = endpoint_of(heading)
    by_label = {label: name for name, label in ESTIMANDS.items()}
    for line in rows:
        name, _, time = line[0].rpartition(", ") if line[0].endswith(" months") else (line[0], "", "")
        for at, subset in enumerate(SUBSET_LABELS, 3):
            row = {"endpoint": endpoint, "subset": subset}
            yield (key(row, by_label[name], months=time.removesuffix(" months")), f"by subset: {subset}",
                   printed(line[at]), [])


def files(seen) -> Iterator[tuple[Key, str, list[str], list[float]]]:
    """Estimates that stand in a file alone."""
    for row in seen.tables["estimates.csv"]:
        if not row["study_id"]:
            yield key(row, row["estimand"], months=row["time_months"]), "estimates.csv", [], limits(row)
    for row in seen.tables["influence.csv"]:
        main, _, spread = names(row)
        yield key(row, main), "influence.csv", [], limits(row, "full_")
        yield key(row, spread), "influence.csv", [], [value(row["full_heterogeneity"])]
    for row in seen.tables["regression.csv"]:
        if row["heterogeneity_without"] and row["analysis"] != "complete_case":
            yield key(row, row["heterogeneity"]), "regression.csv", [], [value(row["heterogeneity_without"])]
    for row in seen.tables["power_scaling.csv"]:
        yield key(row, names(row)[0]), "power_scaling.csv", [], [value(row["median"])]
    for row in chosen(seen.tables["curve_bands.csv"], study_id=""):
        estimand = {"typical study": "survival", "new study": "new_study_survival"}[row["curve"]]
        yield key(row, estimand, months=row["months"]), "curve_bands.csv", [], limits(row)


def printed(cell: str) -> list[str]:
    """The numbers of a cell as they stand there."""
    return re.findall(r"\d+(?:\.\d+)?", cell.partition(" (")[0])


def conflicts(seen, page: Tables) -> tuple[list[str], int]:
    """What is shown with two values, and how many estimates are shown more than once."""
    known: dict[Key, list[tuple[str, list[str], list[float]]]] = {}
    for of, *one in (*cells(seen, page), *files(seen)):
        known.setdefault(of, []).append(tuple(one))
    found = []
    for of, ones in known.items():
        for at in range(len(LIMITS)):
            texts = {texts[at] for _, texts, _ in ones if len(texts) > at}
            values = [values[at] for _, _, values in ones if len(values) > at]
            apart = bool(values) and max(values) - min(values) > DIGITS * max(1e-3, abs(max(values)))
            found += [f"{of}: {sorted(texts)}, {sorted(values)}: {ones}"] if len(texts) > 1 or apart else []
    return found, sum(len(ones) > 1 for ones in known.values())


@pytest.fixture(scope="module")
def source(seen):
    return whole(seen.folder)


def test_each_estimate_has_one_value_wherever_it_stands(seen, source):
    found, repeated = conflicts(seen, Tables(source))
    assert not found, found[:3]
    assert repeated >= 60, repeated


@pytest.mark.parametrize("caption", ["Pooled estimate, prediction", "Each subset, its", "The choice that moves"])
def test_a_number_that_differs_by_one_in_one_table_is_found(seen, source, caption):
    start = source.index(f"<caption><span>{caption}")
    cell = re.compile(r"(\d+) \[(\d+), (\d+)\]").search(source, start)
    changed = f"{int(cell[1]) + 1} [{cell[2]}, {cell[3]}]"
    found, _ = conflicts(seen, Tables(source[:cell.start()] + changed + source[cell.end():]))
    assert len(found) == 1 and cell[1] in found[0] and str(int(cell[1]) + 1) in found[0]


def test_a_file_of_another_engine_is_found(seen, source):
    row = next(row for row in seen.tables["curve_bands.csv"] if row["curve"] == "typical study"
               and row["months"] == "12" and row["model"] == "log_hazard")
    kept = row["lower"]
    row["lower"] = str(float(kept) + 0.002)
    try:
        assert len(conflicts(seen, Tables(source))[0]) == 1
    finally:
        row["lower"] = kept
