"""Coverage at fixed truth: limits by other routes, truths by integrals, shares by enumeration, any way of running."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, special, stats

from analysis.__main__ import main
from analysis.cases.settings import derive_seed
from analysis.commands import coverage as command
from analysis.drawing import style
from analysis.frequentist import normal
from analysis.frequentist.estimates import logits
from analysis.frequentist.methods import METHODS
from analysis.inference.density import density_of
from analysis.inference.distribution import distribution
from analysis.inference.grid import solve
from analysis.runs.workers import cluster
from analysis.simulation.coverage import COVERAGE, LEVEL, World, simulate, summaries, worlds
from analysis.simulation.figures import draw_coverage
from analysis.simulation.limits import DRAWS, GRID, SCORED, limits_of
from models import all_models
from models.studies import RateStudies
from tests.golden import coverage as pinned

ROOT = Path(__file__).resolve().parents[2]
SIZES = (6, 15, 40, 60)
SETS = np.array([[5, 12, 30, 50], [0, 3, 1, 20], [6, 15, 40, 60], [0, 0, 0, 0], [3, 8, 20, 29]])
SMALL = [World("beta_binomial", 0.3, 0.2, (4, 7)), World("beta_binomial", 0.6, 0.0, (4, 7)),
         World("logit_normal", 0.3, 0.2, (4, 7))]


def studies(events):
    return RateStudies(tuple("abcd"), events, np.array(SIZES))


@pytest.fixture(scope="module")
def limits():
    return limits_of(SIZES, SETS, level=LEVEL, seed=1)


@pytest.mark.parametrize(("key", "model", "estimand"), [
    ("beta_binomial_posterior", "beta_binomial", "mean_rate"),
    ("logit_normal_posterior_mean", "logit_normal", "mean_rate"),
    ("logit_normal_posterior_median", "logit_normal", "median_rate")])
def test_credible_limits_are_those_of_the_adaptive_quadrature(limits, key, model, estimand):
    model = all_models()[model]
    for number, events in enumerate(SETS):
        grid = solve(density_of(model, studies(events), model.priors))
        exact = distribution(grid, model.density.summaries(grid.values, (estimand,))[estimand])
        assert limits[key][:, number] == pytest.approx(exact.quantile(np.array([0.025, 0.975])), abs=5e-4)


@pytest.mark.parametrize("method", [method for method in METHODS if method.kind == "rate"], ids=lambda of: of.key)
def test_confidence_limits_are_those_of_the_method(limits, method):
    """Profiles are off by the distance of spreads, the exact test by half of that of the means, which are 0.1 apart."""
    error = 0.01 if method.key == "exact_beta_binomial" else 3e-3 if method.of_counts else 1e-9
    for number, events in enumerate(SETS):
        data = studies(events) if method.of_counts else logits(studies(events))
        if method.key == "logit_exact_normal":
            found = normal.exact_interval(data, level=LEVEL, seed=1 + number, draws=DRAWS, grid=GRID)
        else:
            found = method.limits(data, level=LEVEL, seed=1)
        expected = np.array([found.lower, found.upper])
        expected = expected if method.of_counts else special.expit(expected)
        assert limits[method.key][:, number] == pytest.approx(expected, abs=error)


@pytest.mark.parametrize(("mean", "rho"), [(0.15, 0.1), (0.8, 0.25)])
def test_truths_of_a_world_are_those_of_its_law(mean, rho):
    beta = stats.beta(mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1))
    assert World("beta_binomial", mean, rho, (9,)).truth == pytest.approx(
        {"mean_rate": beta.mean(), "median_rate": beta.median()})
    world = World("logit_normal", mean, rho, (9,))
    law = stats.norm(world.hyperparameters["m"][0], world.hyperparameters["tau"][0])
    first, second = (integrate.quad(lambda x, power=power: special.expit(x) ** power * law.pdf(x), -40, 40,
                                    points=[law.mean()])[0] for power in (1, 2))
    assert (first, (second - first**2) / (first * (1 - first))) == pytest.approx((mean, rho), abs=1e-6)
    assert world.truth == pytest.approx({"mean_rate": mean, "median_rate": special.expit(law.mean())})
    assert abs(world.truth["mean_rate"] - world.truth["median_rate"]) > 0.02


def test_simulated_shares_are_those_of_every_possible_outcome():
    """Two studies of 4 and 7 patients show one of 40 pairs, whose probabilities scipy knows."""
    world, sets = SMALL[0], 200
    pairs = np.array([(first, second) for first in range(5) for second in range(8)])
    a, b = 0.3 * 4.0, 0.7 * 4.0
    chance = stats.betabinom.pmf(pairs[:, 0], 4, a, b) * stats.betabinom.pmf(pairs[:, 1], 7, a, b)
    every = limits_of(world.sizes, pairs, level=LEVEL, means=[0.3], seed=derive_seed(1, "limits", "2", "0"))
    for row in simulate([world], sets, seed=1):
        lower, upper = every[row["method"]]
        truth = {"mean_rate": 0.3, "median_rate": stats.beta.median(a, b)}[row["estimand"]]
        for name, holds in (("coverage", (lower <= truth) & (truth <= upper)), ("below", upper < truth),
                            ("above", lower > truth)):
            share = min(chance @ holds, 1.0)
            # Four standard errors; a simulated null law moves the limits of a pair, and with them a per cent or two.
            near = 4.0 * np.sqrt(share * (1 - share) / sets) + (0.02 if "exact" in row["method"] else 1e-9)
            assert row[name] == pytest.approx(share, abs=near), (row["method"], name)
        width = chance @ (upper - lower)
        near = 4.0 * np.sqrt(chance @ (upper - lower - width) ** 2 / sets) + 0.02
        assert row["width"] == pytest.approx(width, abs=near), row["method"]


def test_default_worlds_have_the_real_sizes_and_differ_in_one_thing():
    every = worlds([5, 10, 10, 20, 40, 80])
    assert len(every) == len(set(every)) and {len(world.sizes) for world in every} == {3, 5, 10, 20}
    assert every[0].sizes == (10, 20, 80) or set(every[0].sizes) <= {5, 10, 20, 40, 80}
    counts = every[0].counts(0, 5, 1)
    assert np.array_equal(counts[3:], every[0].counts(3, 5, 1)) and not np.array_equal(counts, every[0].counts(0, 5, 2))


def written(rows, folder):
    folder.mkdir()
    return COVERAGE.table(rows).write(folder).read_bytes()


def started(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-m", *map(str, arguments)], env=environment, cwd=ROOT,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def dask(tmp_path):
    """Address of a scheduler on loopback, and its two workers."""
    distributed = pytest.importorskip("distributed", reason="the package distributed is not installed")
    file = tmp_path / "scheduler.json"
    here = ("--scheduler-file", file, "--host", "127.0.0.1", "--no-dashboard")
    processes = [started("distributed.cli.dask_scheduler", *here, "--port", "0")]
    processes += [started("distributed.cli.dask_worker", *here, "--nthreads", "1", "--no-nanny") for _ in range(2)]
    try:
        until(file.exists)
        address = json.loads(file.read_text())["address"]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def until(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_cluster_gives_the_same_bytes_also_when_a_worker_is_killed(dask, tmp_path, monkeypatch):
    address, (lost, _) = dask
    monkeypatch.setattr("analysis.simulation.coverage.BATCH", 10)

    def kill(tallies, name, total):
        if lost.poll() is None:
            os.kill(lost.pid, signal.SIGKILL)

    with cluster(address) as executor:
        rows = list(simulate(SMALL[2:], 40, seed=3, executor=executor, keep=kill))
    assert lost.wait() == -signal.SIGKILL
    assert written(rows, tmp_path / "cluster") == written(simulate(SMALL[2:], 40, seed=3), tmp_path / "here")


def test_an_interrupted_run_goes_on_where_it_ended(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "worlds", lambda sizes: SMALL[:1])
    arguments = ["calibrate", "--coverage", "--replicates", "52", "--processes", "1", "--output"]
    assert main([*arguments, str(tmp_path / "whole")]) == 0
    told = capsys.readouterr()
    assert "Beta-binomial posterior" in told.out and "[2/2]" in told.err

    def interrupted(path, text, write=command.write_text):
        write(path, text)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(command, "write_text", interrupted)
        assert main([*arguments, str(tmp_path / "parts")]) == 130
    assert [path.name for path in (tmp_path / "parts").iterdir()] == [command.UNFINISHED]
    assert main([*arguments, str(tmp_path / "parts"), "--seed", "2"]) == 2
    assert "other settings" in capsys.readouterr().err
    assert main([*arguments, str(tmp_path / "parts")]) == 0
    assert "[1/1]" in capsys.readouterr().err
    names = ["coverage.csv", "coverage.png", "coverage.svg"]
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [*names, "manifest.json"]
    for name in names:
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    with (tmp_path / "parts" / "coverage.csv").open(encoding="utf-8") as file:
        assert tuple(next(csv.reader(file))) == COVERAGE.names


def test_every_interval_has_its_place_in_the_figure_and_letters_a_telephone_can_show():
    rng = np.random.default_rng(1)
    rows = [{"law": world.law, "rho": world.rho, "k_studies": len(world.sizes), "method": key, "sets": 500,
             "level": LEVEL, "coverage": float(rng.uniform(0.6, 1.0)), "width": 0.2}
            for world in worlds([5, 20, 60]) for key in SCORED]
    found = summaries(rows)
    assert [row["method"] for row in found if row["short"]] and {row["method"] for row in found} == set(SCORED)
    figure = draw_coverage(rows, found)
    texts = [text.get_text() for text in figure.texts]
    for method in SCORED.values():
        assert method.label.split()[0] in " ".join(texts)
    shown = [text for axes in figure.axes for text in (*axes.texts, *axes.get_xticklabels(), axes.title)]
    assert min(text.get_fontsize() for text in [*shown, *figure.texts]) >= style.SMALL
    assert len(figure.axes) == 8 and all("95 %" in [tick.get_text() for tick in axes.get_xticklabels()]
                                         for axes in figure.axes)


def test_the_pinned_summary_is_that_of_the_present_code_and_of_readme():
    record = json.loads(pinned.RECORD.read_text(encoding="utf-8"))
    text = pinned.README.read_text(encoding="utf-8")
    assert pinned.with_block(text, record) == text
    present = pinned.first_tallies(record["sizes"])
    assert list(present) == list(record["first"])
    for key, tally in present.items():
        assert tally == pytest.approx(record["first"][key], abs=1e-3), f"{key}: {pinned.__doc__.splitlines()[0]}"
