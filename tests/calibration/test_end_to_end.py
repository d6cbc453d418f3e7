"""Patients to printed statistics: curves and medians as other formulas give them, and wrong conversions that show."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from analysis.cases import curves as conversion
from analysis.cases.selection import select
from analysis.cases.settings import Question
from analysis.chapters.answer.rows import simulated
from analysis.simulation.curves import PLAIN, Law, kaplan_meier, printed
from analysis.simulation.end_to_end import END_TO_END, LAWS, PAPER, World, _scored, main, run_sets, simulate_world

FALLING = Law(0.40, 0.6, 0.15)


def test_kaplan_meier_of_a_worked_example():
    """Six patients; the steps by hand: 5/6, then 5/6 * 3/4, then 5/6 * 3/4 * 1/2."""
    curve = kaplan_meier(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), np.array([1, 0, 1, 0, 1, 0], dtype=bool))
    np.testing.assert_allclose(curve.survival, [5 / 6, 5 / 8, 5 / 16])
    greenwood = np.cumsum([1 / (6 * 5), 1 / (4 * 3), 1 / (2 * 1)])
    away = 1.959963984540054 * np.sqrt(greenwood) / np.abs(np.log(curve.survival))
    np.testing.assert_allclose(curve.lower, curve.survival ** np.exp(away))
    assert curve.first_below(curve.survival) == 5.0 and curve.at(0.5) == (1.0, 1.0, 1.0)
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
    rows = {(row["method"], row["quantity"]): row for row in simulate_world(world, 6)}
    assert rows["weibull", "shape"]["estimate"] == pytest.approx(0.6, abs=0.15)
    assert rows["log_hazard", "survival at 24 months"]["bias"] < -0.07
    kept = [row for row in simulated() if (row["endpoint"], row["law"]) == ("pfs", "falling hazard")]
    assert tuple(kept[0]) == END_TO_END.names and {(row["method"], row["quantity"]) for row in kept} == set(rows)
    for row in kept:
        # What the report quotes is from more sets: a mean of six estimates is off by their spread over sqrt 6.
        ours, spread = rows[row["method"], row["quantity"]], float(row["width"]) / 3.92
        assert abs(ours["estimate"] - float(row["estimate"])) < 4.0 * spread / np.sqrt(6.0), row


def test_a_swapped_limit_shows(shipped, monkeypatch):
    """The upper limit of a median read as the lower one: the shape is far off."""
    world = World("pfs", "falling", FALLING, select(shipped, Question("pfs")).curves, 1)
    true = conversion._points

    def swapped(row, factor):
        return [replace(point, survival=1.0 - point.survival) for point in true(row, factor)]

    monkeypatch.setattr(conversion, "_points", swapped)
    rows = {(row["method"], row["quantity"]): row for row in simulate_world(world, 3)}
    assert abs(rows["weibull", "shape"]["bias"]) > 0.2 or rows["weibull", "survival at 12 months"]["bias"] > 0.03


def test_command_writes_every_world(tmp_path, capsys):
    arguments = ["os", "--output", str(tmp_path / "out"), "--sets", "2", "--processes", "1"]
    assert main([*arguments, "--factor", "1.5"]) == 0
    with (tmp_path / "out" / END_TO_END.file).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
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
    (row,) = _scored(world, sets, ())
    assert row["truth"] == pytest.approx(0.40) and row["estimate"] == pytest.approx(0.45) and row["sets"] == 3
    assert (row["bias"], row["coverage"], row["width"]) == pytest.approx((0.05, 1 / 3, 0.7 / 3))
