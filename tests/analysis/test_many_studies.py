"""Very many studies: estimates in batches that agree with the exact mixture, no draw kept, linear time."""

import time
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from analysis.cases.selection import select
from analysis.cases.settings import EXACT, Job, Question
from analysis.evidence.loading import load
from analysis.inference import fitting
from analysis.inference.density import density_of
from analysis.inference.diagnostics import Diagnostics
from analysis.inference.grid import solve
from analysis.results.netcdf import save
from models import all_models
from tests.casing import bare_case, run
from tests.evidence.build import write_evidence
from tests.exact.solved import rates

JOB = Job(Question("cr"), engine=EXACT)


def evidence_of(folder, counts):
    studies = "study_id,label,year\n" + "".join(f"s{at},S {at},2000\n" for at in range(len(counts)))
    responses = "study_id,endpoint,events,n\n" + "".join(f"s{at},cr,{y},{n}\n" for at, (y, n) in enumerate(counts))
    return load(write_evidence(folder, studies=studies, responses=responses))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same fit of seven studies as an ordinary one and, with batches of two, as one of very many."""
    folder = tmp_path_factory.mktemp("many")
    evidence = evidence_of(folder / "data", [(3, 9), (8, 9), (1, 40), (20, 22), (5, 5), (0, 4), (30, 60)])
    ordinary = run(evidence, JOB)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "MANY", 3)
        patch.setattr(fitting, "_BATCH", 2)
        many = run(evidence, JOB)
        saved = save(many, evidence, folder)
    return ordinary, many, saved


def test_pooled_estimates_are_the_same_to_the_last_digit(both):
    ordinary, many, _ = both
    pooled = [[row for row in fit.estimates if row.study_id is None] for fit in (ordinary, many)]
    assert [row.median for row in pooled[0]] == [row.median for row in pooled[1]]
    assert [row.study_id for row in many.estimates] == [row.study_id for row in ordinary.estimates]


def test_each_study_is_its_mixture_of_beta_distributions(both):
    """Given mu and rho the rate is Beta(a + y, b + n - y): its mean is the posterior mean of (a + y)/(a + b + n)."""
    _, many, _ = both
    grid = solve(density_of(all_models()["beta_binomial"], many.case.studies, many.case.priors))
    kappa = 1.0 / grid.values["rho"] - 1.0
    own = [row for row in many.estimates if row.study_id]
    for row, y, n in zip(own, many.case.studies.events, many.case.studies.evaluable, strict=True):
        exact = grid.weights.ravel() @ ((grid.values["mu"] * kappa + y) / (kappa + n))
        # 4.5 Monte-Carlo errors: passed by chance in 1 of 150,000.
        assert abs(row.mean - exact) < 4.5 * row.mcse and row.mcse < 2.0 * row.sd / np.sqrt(fitting.DRAWS)


def test_a_model_without_a_density_keeps_the_draws_of_each_study(monkeypatch):
    """Its chains hold a rate of each study: the estimate of study i is the mean of column i, in any batch."""
    monkeypatch.setattr(fitting, "MANY", 3)
    monkeypatch.setattr(fitting, "_BATCH", 2)
    model = replace(all_models()["beta_binomial"], marginal=None, estimands={"mean_rate": "mu", "study_rate": "p"})
    case, size = bare_case(model, rates([1, 2, 3, 4, 5], [9] * 5)), 4 * 600
    columns = np.arange(5) / 10.0 + np.linspace(0.0, 0.01, size)[:, None]
    fit = fitting.Fit(case, replace(case.job.sampler, chains=4, draws=600), 1, Diagnostics(), (),
                      {"mu": columns[:, 0], "p": columns}, ())
    own = fitting._with_many(fit, 1).estimates
    assert [row.study_id for row in own] == list(case.studies.study_ids)
    assert [row.mean for row in own] == pytest.approx(columns.mean(axis=0), abs=1e-4)


def test_a_saved_posterior_holds_no_study(both):
    tree = xr.open_datatree(both[2], engine="netcdf4")
    assert "study_rate" not in tree["posterior"] and "log_likelihood" not in tree.children
    assert {"mu", "rho", "mean_rate"} <= set(tree["posterior"]) and tree["observed_data"].sizes["study"] == 7
    assert "7 studies: each one's estimate rests on 2,000 draws" in tree.attrs["manifest"]


def test_rows_of_many_studies_are_chosen_in_linear_time(tmp_path):
    """Compared row by row with every other one, 20,000 rows take minutes."""
    made = evidence_of(tmp_path, [(at % 7, 9) for at in range(20_000)])
    begun = time.process_time()
    assert len(select(made, Question("cr")).rows) == 20_000
    assert time.process_time() - begun < 10.0
