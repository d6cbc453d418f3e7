"""Very many studies: estimates in batches that agree with the exact mixture, no draw kept, linear time."""

import time

import numpy as np
import pytest
import xarray as xr

from analysis.cases.selection import select
from analysis.cases.settings import EXACT, Job, Question
from analysis.evidence.loading import load
from analysis.inference import fitting
from analysis.inference.density import density_of
from analysis.inference.grid import solve
from analysis.results.netcdf import save
from models import all_models
from tests.casing import run
from tests.evidence.build import write_evidence

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
