"""Patients to printed statistics: curves and medians as other formulas give them, and wrong conversions that show."""

import json
from dataclasses import replace

import numpy as np
import pytest

from analysis.cases import curves as conversion
from analysis.cases.selection import select
from analysis.cases.settings import Question
from analysis.results.simulated import DEFAULT, END_TO_END, PAPER, SHAPE, SURVIVAL, by_world, judged, record
from analysis.simulation.curves import PLAIN, Law, kaplan_meier, printed
from analysis.simulation.end_to_end import (
    FIRST_SETS,
    LAWS,
    World,
    main,
    methods,
    run_sets,
    scored,
    simulate_world,
    text_of,
    worlds,
)
from tests.report.reading import csv_rows

FALLING = Law(0.40, 0.6, 0.15)


def test_kaplan_meier_of_a_worked_example():
    """Six patients; the steps by hand: 5/6, then 5/6 * 3/4, then 5/6 * 3/4 * 1/2."""
    curve = kaplan_meier(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.array([1, 0, 1, 0, 1, 0], dtype=bool))
    np.testing.assert_allclose(curve.survival, [5 / 6, 5 / 8, 5 / 16])
    greenwood = np.cumsum([1 / (6 * 5), 1 / (4 * 3), 1 / (2 * 1)])
    away = 1.959963984540054 * np.sqrt(greenwood) / np.abs(np.log(curve.survival))
    np.testing.assert_allclose(curve.lower, curve.survival ** np.exp(away))
    assert curve.half_at(curve.survival) == 5.0 and curve.at(0.5) == (1.0, 1.0, 1.0)
    plain = kaplan_meier(np.array([1.0, 2.0, 3.0]), np.ones(3, dtype=bool), band=PLAIN)
    assert plain.survival[-1] == plain.upper[-1] == 0.0


def test_without_censoring_survival_is_a_share(shipped):
    rows = select(shipped, Question("pfs")).curves
    landmark = next(row for row in rows if row.statistic == "landmark")
    law = Law(0.5, 1.0, 1e-9, seen=(500.0, 501.0))
    shares = [printed([replace(landmark, n=400)], law, np.random.default_rng(at))[0].estimate for at in range(40)]
    assert np.mean(shares) == pytest.approx(0.5, abs=4 * 0.025 / np.sqrt(40)) and np.std(shares) < 0.04


def test_printed_rows_are_of_the_real_kind(shipped):
    rows = select(shipped, Question("pfs")).curves
    replicated = printed(rows, FALLING, np.random.default_rng(3))
    assert [row.study_id for row in replicated] == list(dict.fromkeys(row.study_id for row in rows))
    real = {row.study_id: row for row in rows if not row.stratum}
    for row in replicated:
        if row.study_id in real and row.estimate is not None:
            assert row.statistic == real[row.study_id].statistic
            assert (row.ci_low is None) == (real[row.study_id].ci_low is None)


def test_any_split_gives_the_same_and_the_shape_is_found(shipped):
    world = World("pfs", "falling", FALLING, select(shipped, Question("pfs")).curves, 1)
    results = run_sets(world, 0, 2)
    assert run_sets(world, 1, 2) == results[1:]
    assert all(lower < estimate < upper for result in results for limits in result.values()
               for lower, estimate, upper in limits.values())
    rows = {(row["method"], row["quantity"]): row for row in scored(world, simulate_world(world, 6))}
    assert rows["weibull", "shape"]["estimate"] == pytest.approx(0.6, abs=0.15)
    assert rows["log_hazard", "survival at 24 months"]["bias"] < -0.07


def test_a_swapped_limit_shows(shipped, monkeypatch):
    """The upper limit of a median read as the lower one: the shape is far off."""
    world = World("pfs", "falling", FALLING, select(shipped, Question("pfs")).curves, 1)
    true = conversion._points

    def swapped(row, factor):
        return [replace(point, survival=1.0 - point.survival) for point in true(row, factor)]

    monkeypatch.setattr(conversion, "_points", swapped)
    rows = {(row["method"], row["quantity"]): row for row in scored(world, simulate_world(world, 3))}
    assert abs(rows["weibull", "shape"]["bias"]) > 0.2 or rows["weibull", "survival at 12 months"]["bias"] > 0.03


def test_command_writes_every_world(tmp_path, capsys):
    arguments = ["os", "--output", str(tmp_path / "out"), "--sets", "2", "--processes", "1"]
    assert main([*arguments, "--factor", "1.5"]) == 0
    rows = csv_rows(tmp_path / "out" / END_TO_END.file)
    assert tuple(rows[0]) == END_TO_END.names and {row["law"] for row in rows} == {name for name, _ in LAWS["os"]}
    assert {row["factor"] for row in rows if row["method"] == "weibull"} == {"1.5"} and rows[0]["sets"] == "2"
    assert "falling hazard" in capsys.readouterr().out
    assert main([*arguments, "--data", str(tmp_path / "none")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["cr", "--output", str(tmp_path)])


def test_scores_of_known_intervals(shipped):
    """One interval holds the truth, one lies below it, one above it: a third of them cover."""
    world = World("pfs", "falling", Law(0.40, 1.0, 0.0), (), 1)
    sets = [{(PAPER, None): {"survival at 12 months": limits}}
            for limits in ((0.3, 0.4, 0.5), (0.1, 0.2, 0.3), (0.5, 0.75, 0.8))]
    (row,) = scored(world, sets, ())
    assert row["truth"] == pytest.approx(0.40) and row["estimate"] == pytest.approx(0.45) and row["sets"] == 3
    assert (row["bias"], row["coverage"], row["width"]) == pytest.approx((0.05, 1 / 3, 0.7 / 3))


def test_first_sets_are_the_pinned_ones(shipped):
    """Of one world; estimates are rounded to five digits, and the quadrature settles to a thousandth of a deviation."""
    pinned, world = record(), next(world for world in worlds(shipped, ["pfs"], 1) if world.name == "falling hazard")
    assert pinned["seed"] == world.seed and pinned["first_sets"] == FIRST_SETS
    first = {(row["method"], row["quantity"]): row for row in pinned["first"]
             if (row["endpoint"], row["law"]) == ("pfs", world.name) and row["factor"] in (None, DEFAULT[1])}
    rows = list(scored(world, simulate_world(world, FIRST_SETS)))
    assert set(first) == {(row["method"], row["quantity"]) for row in rows}
    for row in rows:
        kept = first[row["method"], row["quantity"]]
        assert [row[name] for name in ("truth", "estimate", "bias", "width")] == pytest.approx(
            [kept[name] for name in ("truth", "estimate", "bias", "width")], abs=5e-4)
        assert (row["coverage"], row["sets"]) == (kept["coverage"], kept["sets"])


def test_record_holds_every_world_and_the_default_is_what_it_says():
    """Shape 0.6 and truth 0.40, shape 1 and truth 0.36: within 0.01, and intervals that cover 92 to 98 %."""
    rows = record()["rows"]
    assert {(row["endpoint"], row["law"]) for row in rows} == {
        (endpoint, name) for endpoint, laws in LAWS.items() for name, _ in laws}
    laws = {(endpoint, name): law for endpoint, of in LAWS.items() for name, law in of}
    for row in rows:
        law = laws[row["endpoint"], row["law"]]
        truth = law.shape if row["quantity"] == SHAPE else law.survival_at(float(row["quantity"].split()[2]))
        assert row["truth"] == pytest.approx(truth, abs=1e-5)
        assert row["bias"] == pytest.approx(row["estimate"] - truth, abs=2e-5)
    lines = {(line["endpoint"], line["law"]): line["of"] for line in by_world(rows)}
    for of in lines.values():
        assert set(methods()) <= set(of)
    for law in ("falling hazard", "constant hazard"):
        row = lines["pfs", law][DEFAULT]
        assert abs(row["bias"]) < 0.01 and 0.92 <= row["coverage"] <= 0.98 and row["sets"] >= 200
    verdict = judged(rows)
    assert abs(verdict["bias"]) < abs(verdict["bias_converted"])
    for other in verdict["others"]:
        assert abs(other["own"]) < abs(other["bias"]), f"{other['factor']} biases the shape less: the default is wrong"


def test_record_as_text_is_read_again(shipped):
    world = World("pfs", "falling", Law(0.40, 1.0, 0.0), (), 1)
    sets = [{(PAPER, None): {SURVIVAL: (0.3, 0.1 * at, 0.5)}} for at in range(1, 7)]
    told = json.loads(text_of([world], [sets], ()))
    assert [told[name][0]["sets"] for name in ("rows", "first")] == [6, FIRST_SETS] and told["seed"] == 1
    assert told["rows"][0]["estimate"] == pytest.approx(0.35) and set(told["rows"][0]) == set(END_TO_END.names)
