"""What a terminal and a program see: every cell of the printed tables against the JSON or the CSV, and calibration."""

import json
import re
from contextlib import nullcontext

import numpy as np
import pytest
from scipy import stats

from analysis.drawing import style
from tests.report.reading import csv_rows
from tests.seen.checking import limits, numbers, ordered, says, single, value
from tests.seen.facts import ENDPOINTS, REPORTED, STUDIES, SUBSET_LABELS, hazards, is_member, size, studies_of, table
from tests.seen.fitted import headline_rows
from tests.seen.headline import MAIN, headline
from tests.seen.running import command


def printed_table(text: str, first: str) -> list[dict[str, str]]:
    """The table whose header begins with `first`: cells are where the header's words stand, two blanks apart."""
    lines = text.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(first) and set(lines[at + 1]) == {"-"})
    rows = []
    for line in [lines[start], *lines[start + 2 :]]:
        if not line.strip():
            break
        rows.append(line)
    starts = _starts(rows)
    cells = [[row[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)] for row in rows]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


def _starts(rows: list[str]) -> list[int]:
    """Where columns begin: a character after two blanks that stand in every row."""
    width = max(map(len, rows))
    blank = [all(len(row) <= at or row[at] == " " for row in rows) for at in range(width)]
    return [0, *(at for at in range(2, width) if not blank[at] and blank[at - 1] and blank[at - 2])]


def run(*arguments: str, code: int = 0) -> tuple[str, str]:
    ended, out, err = command(arguments)
    assert ended == code, err
    return out, err


def object_of(*arguments: str) -> dict:
    return json.loads(run(*arguments, "--json")[0])


@pytest.mark.parametrize("endpoint", list(ENDPOINTS))
def test_fit(seen, endpoint):
    arguments = ("fit", endpoint, "--data", str(seen.data), "--engine", "exact")
    found, (text, told) = object_of(*arguments), run(*arguments)
    studies = studies_of(endpoint)
    assert (found["n_studies"], found["n_patients"]) == (len(studies), sum(one.n for one in studies))
    assert found["endpoint"] == endpoint and found["engine"] == "exact" and found["converged"] and found["seed"] == 1
    assert found["data_sha256"] == seen.evidence.sha256 and found["set"] == "review" and found["tiers"] == "AB"
    head, given = text.splitlines()[:2]
    assert f"{len(studies)} studies" in head and f"{found['n_patients']} patients" in head and found["model"] in head
    assert given == "; ".join(f"{name} ~ {prior}" for name, prior in found["priors"].items())
    rows = printed_table(text, "estimand")
    assert len(rows) == len(found["estimates"])
    for row, one in zip(rows, found["estimates"], strict=True):
        time = f" ({one['time_months']:g} months)" if one["time_months"] else ""
        assert row["estimand"] == one["estimand"] + time and row["study"] == (one["study_id"] or "")
        assert says(row["mean"], one["mean"]) and says(row["median"], one["median"])
        assert says(row["interval"], one["lower"], one["upper"]), row
        assert row["kind"] == f"95 % {one['interval']}" and row["unit"] == one["unit"]
        ordered(one, "lower", "median", "upper")
    _same_as_the_report(seen, found, endpoint)
    left = [row for row in seen.tables["left_out.csv"] if row["endpoint"] == endpoint]
    for reason in {row["reason"] for row in left}:
        count = sum(row["reason"] == reason for row in left)
        assert re.search(rf"left out: {count} rows?, {re.escape(reason)}", told), told
    assert all(f"warning: {one}" in told or f"note: {one}" in told for one in found["warnings"])


def _same_as_the_report(seen, found, endpoint) -> None:
    """The command and the report give equal numbers: exact ones are met, those by draws within 4.5 errors."""
    for row, estimate in zip(headline_rows(seen, endpoint), found["estimates"], strict=True):
        assert (row["estimand"], row["study_id"], value(row["time_months"])) == (
            estimate["estimand"], estimate["study_id"] or "", estimate["time_months"])
        # A quantile of 2400 independent draws at least, on the log for a time or a heterogeneity.
        reach = 0.12 * (estimate["upper"] - estimate["lower"])
        assert limits(row) == pytest.approx(limits(estimate), abs=reach)
    pooled = next(estimate for estimate in found["estimates"] if estimate["estimand"] == MAIN[endpoint])
    if endpoint != "os":
        assert limits(pooled) == pytest.approx(headline(endpoint).limits("mean_rate"), abs=5e-4)
        assert pooled["sd"] == pytest.approx(headline(endpoint).sd("mean_rate"), abs=2e-4)


def test_fit_has_its_log_evidence(seen):
    found = object_of("fit", "cr", "--data", str(seen.data), "--engine", "exact", "--subset", "adult_only",
                      "--tiers", "A")
    plane = headline("cr", studies_of("cr", "adult_only", "A"))
    assert found["log_evidence"] == pytest.approx(plane.log_evidence, abs=2e-3)
    assert (found["subset"], found["tiers"], found["n_studies"]) == ("adult_only", "A", 2)


def test_report(seen):
    """The last words of `report`."""
    rows = printed_table(seen.printed, "endpoint")
    assert [row["endpoint"] for row in rows] == list(ENDPOINTS)
    for row in rows:
        one = single(headline_rows(seen, row["endpoint"]), study_id="", estimand=MAIN[row["endpoint"]])
        assert row["estimand"] == ("survival (12 months)" if row["endpoint"] == "os" else "mean_rate")
        assert says(row["posterior median"].partition("]")[0], *limits(one))
        assert row["posterior median"].endswith("95 % credible")
        assert (row["studies"], row["patients"]) == (one["k_studies"], one["n_patients"])
    assert "10 of 11 published numbers compared" in seen.printed


def test_compare(seen, monkeypatch):
    """`compare` on the report's own fits: JSON and text beside comparison.csv."""
    monkeypatch.setattr("analysis.commands.compare.run_all", lambda *_, **__: seen.results)
    monkeypatch.setattr("analysis.commands.compare.helper", lambda _: nullcontext())
    arguments = ("compare", "--data", str(seen.data))
    found, (text, _) = object_of(*arguments), run(*arguments)
    csv_rows = {row["reported_id"]: row for row in seen.tables["comparison.csv"]}
    assert [row["reported_id"] for row in found["comparisons"]] == list(REPORTED)
    for row in found["comparisons"]:
        for column, cell in csv_rows[row["reported_id"]].items():
            wanted = value(cell)
            assert (row[column] or None if not isinstance(row[column], bool | int | float) else row[column]) == (
                pytest.approx(wanted, rel=1e-5, abs=1e-9) if isinstance(wanted, float) else wanted
            ), column
    rows = printed_table(text, "id")
    assert [row["id"] for row in rows] == [name for name, row in csv_rows.items() if row["status"] == "compared"]
    for row in rows:
        one = csv_rows[row["id"]]
        assert row["endpoint"] == (one["our_endpoint"] or one["endpoint"]) and row["subset"] == one["subset"]
        assert row["estimand"] == ("1 - " if one["transform"] == "complement" else "") + one["estimand"]
        for head, prefix, middle in (("published", "published_", "published"), ("reanalysis (median)", "", "median")):
            ends = [value(one[f"{prefix}{end}"]) for end in ("lower", "upper")]
            assert says(row[head], value(one[middle]), *(end for end in ends if end is not None)), (head, row)
            assert numbers(row[head])[1:] == sorted(numbers(row[head])[1:])
        assert (row["k paper"], row["k ours"]) == (one["published_k"], one["k_studies"])
        assert says(row["difference"], value(one["difference"]))
        assert says(row["P(published interval)"], value(one["probability_of_published_interval"]))
    for name, one in csv_rows.items():
        if one["status"] != "compared":
            assert f"{name} {one['endpoint']}: {one['reason']}" in text


def test_regress(seen):
    arguments = ("regress", "cr", "--data", str(seen.data), "--covariate", "age", "--covariate", "hct")
    found, (text, _) = object_of(*arguments), run(*arguments)
    rows = printed_table(text, "covariate  per")
    assert len(rows) == len(found["covariates"])
    for row, one in zip(rows, found["covariates"], strict=True):
        assert (row["covariate"], row["per"], row["analysis"]) == (one["covariate"], one["unit"], one["analysis"])
        assert (row["studies"], row["missing"]) == (str(one["n_studies"]), str(one["n_missing"]))
        ratio = one["ratio"]
        assert says(row["odds ratio [95 % credible]"], *limits(ratio))
        assert says(row["P(ratio > 1)"], one["probability_above_one"]) and says(row["SD / prior SD"], one["sd_ratio"])
        assert says(row["prior SD per unit (per SD)"], one["prior_sd"], one["prior_sd_per_sd"])
        explained = one["heterogeneity_explained"]
        assert says(row["median rho without -> with"].replace("->", " "), explained["without"], explained["with"])
        assert explained["difference"] == pytest.approx(explained["without"] - explained["with"])
        assert limits(ratio) == pytest.approx(np.exp(limits(one["beta"])))
        ordered(ratio, "lower", "median", "upper")
        _in_the_report(seen, one)
    _companions(text, found)


def _in_the_report(seen, one) -> None:
    """One covariate alone and complete cases are the report's own regressions; "together" is of two covariates here."""
    if one["analysis"] != "together":
        row = single(seen.tables["regression.csv"], endpoint="cr", covariate=one["covariate"], analysis=one["analysis"])
        assert value(row["beta_median"]) == pytest.approx(one["beta"]["median"], rel=1e-4)
        assert value(row["ratio_upper"]) == pytest.approx(one["ratio"]["upper"], rel=1e-4)
        assert value(row["centre"]) == pytest.approx(one["centre"], rel=1e-5)


def _companions(text: str, found: dict) -> None:
    rows = printed_table(text, "covariate  study")
    assert [(row["covariate"], row["study"]) for row in rows] == [(one["covariate"], one["study_id"])
                                                                  for one in found["imputed"]]
    for row, one in zip(rows, found["imputed"], strict=True):
        assert says(row["median"], one["median"]) and says(row["95 % credible"], one["lower"], one["upper"])
        assert says(row["P(out of bounds)"], one["probability_outside"])
        ordered(one, "lower", "median", "upper")
    rows = printed_table(text, "covariate  and")
    wanted = [one for one in found["collinearity"] if one["correlation"] and abs(one["correlation"]) >= 0.5]
    assert len(rows) == len(wanted) > 0
    for row, one in zip(rows, wanted, strict=True):
        assert (row["covariate"], row["and"], row["studies with both"]) == (
            one["covariate"], one["other"], str(one["n_studies"]))
        assert says(row["r"], one["correlation"])
    for one in found["predictions"]:
        ordered(one, "lower", "median", "upper")


def test_list(seen):
    arguments = ("list", "--data", str(seen.data))
    found, (text, _) = object_of(*arguments), run(*arguments)
    rows = printed_table(text, "endpoint")
    for row, one in zip(rows, found["endpoints"], strict=True):
        facts = ENDPOINTS[one["endpoint"]]
        assert (row["endpoint"], row["kind"], row["label"]) == (one["endpoint"], facts["kind"], facts["label"])
        assert (one["label"], one["direction"]) == (facts["label"], facts["direction"])
        for cell in one["subsets"]:
            wanted = size(studies_of(one["endpoint"], cell["subset"]))
            assert {name: cell[name] for name in wanted} == wanted
            assert row[cell["subset"]] == "{k_studies} ({n_patients})".format(**wanted)
    models = printed_table(text, "model")
    for row, one in zip(models, found["models"], strict=True):
        assert (row["model"], row["kind"]) == (one["model"], one["kind"])
        assert one["headline"] == ("headline" in row.values())
        assert row["priors"] == "; ".join(f"{name} ~ {prior}" for name, prior in one["priors"].items())
    names = ("subset", "label", "column", "value")
    assert [[one[name] for name in names] for one in found["subsets"]] == [
        [row[name] for name in names] for row in table("subsets.csv")]
    assert {name for name in SUBSET_LABELS} == {cell["subset"] for cell in found["endpoints"][0]["subsets"]}
    assert is_member("fir_2019", "adult_only") is None and len(hazards()) == 6 and len(STUDIES) == 9


@pytest.fixture(scope="module")
def calibrated(seen, tmp_path_factory):
    """JSON, text, PITs, curves and figure of one small calibration."""
    folder, figures = tmp_path_factory.mktemp("calibrated"), []
    arguments = ("calibrate", "beta_binomial", "--data", str(seen.data), "--endpoint", "cr", "--replicates",
                 "20", "--processes", "1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("analysis.drawing.saving.save_figure", lambda figure, stem: figures.append(figure))
        found = json.loads(run(*arguments, "--json", "--output", str(folder))[0])
    text = run(*arguments)[0]
    (curves,) = folder.glob("*.curves.csv")
    (pits,) = (path for path in folder.glob("*.csv") if path != curves)
    return found, text, csv_rows(pits), csv_rows(curves), figures[0]


def test_calibrate(seen, calibrated):
    found, text, pits, curves, _ = calibrated
    assert (found["replicates"], len(pits), found["endpoint"]) == (20, 20, "cr") and not found["failures"]
    rows = printed_table(text, "quantity")
    for row, one in zip(rows, found["quantities"], strict=True):
        values = np.array([value(pit[one["name"]]) for pit in pits])
        own = [curve for curve in curves if curve["quantity"] == one["name"]]
        assert np.all((values >= 0) & (values <= 1)) and row["quantity"] == one["name"]
        assert says(row["p-value"], one["p_value"]) and says(row["max deviation"], one["max_deviation"])
        assert row["verdict"] == ("uniform" if one["passed"] else "NOT UNIFORM")
        assert 0 <= one["p_value"] <= 1
        for curve in own:
            at = value(curve["pit"])
            assert value(curve["difference"]) == pytest.approx(np.mean(values <= at) - at, abs=2e-5)
            ordered({name: value(curve[name]) for name in curve if name != "quantity"}, "lower_verdict",
                    "lower_95", "upper_95", "upper_verdict")
        # No band is passed where the verdict is that the quantity is uniform.
        inside = all(value(curve["lower_verdict"]) - 1e-6 <= value(curve["difference"])
                     <= value(curve["upper_verdict"]) + 1e-6 for curve in own)
        assert inside == one["passed"]
        assert one["max_deviation"] == pytest.approx(stats.kstest(values, "uniform").statistic, abs=0.06)
    assert ("\nPASSED" in text) == found["passed"]
    assert [(pit["replicate"], pit["failure"]) for pit in pits] == [(str(at), "") for at in range(20)]
    assert {pit["study_id"] for pit in pits} <= {study.study_id for study in studies_of("cr")}


def test_figure_of_the_calibration(calibrated):
    found, _, _, curves, figure = calibrated
    assert len(figure.axes) == len(found["quantities"])
    for one, axes in zip(found["quantities"], figure.axes, strict=True):
        own = [curve for curve in curves if curve["quantity"] == one["name"]]
        word = {"mean_rate": "mean rate", "new_study_rate": "new study's rate",
                "study_rate": "one study's rate", "log_likelihood": "log likelihood"}.get(one["name"], one["name"])
        assert axes.get_title(loc="left") == word
        lines = {(line.get_color(), at): line for at, line in enumerate(axes.lines)
                 if len(line.get_xdata()) == len(own)}
        (curve,) = [line for (color, _), line in lines.items() if color == style.SHRUNKEN]
        assert curve.get_xdata() == pytest.approx([value(row["pit"]) for row in own], abs=1e-5)
        assert curve.get_ydata() == pytest.approx([value(row["difference"]) for row in own], abs=2e-5)
        limits = [line for (color, _), line in lines.items() if color == style.PUBLISHED]
        for line, name in zip(limits, ("lower_verdict", "upper_verdict"), strict=True):
            assert line.get_ydata() == pytest.approx([value(row[name]) for row in own], abs=2e-5)
        assert axes.get_xlim() == (0.0, 1.0) and axes.get_ylim()[0] < 0 < axes.get_ylim()[1]
        ticks = zip(axes.get_yticks(), (label.get_text() for label in axes.get_yticklabels()), strict=True)
        assert all(not text or float(text.replace("−", "-")) == pytest.approx(tick) for tick, text in ticks)
        p = next(text.get_text() for text in axes.texts if re.match(r"p [<=]", text.get_text()))
        assert says(p.partition("p ")[2].replace("= ", "").replace("< ", "<").partition(",")[0], one["p_value"])
        assert ("not uniform" in p) == (not one["passed"])
