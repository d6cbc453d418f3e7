"""Seeds, second attempts and file names follow from what is fitted."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.cases.settings import HEADLINE, Job, Question, derive_seed, more_careful
from analysis.inference.estimands import Quantity, summarise
from analysis.results.netcdf import file_name
from models.priors import Prior, parse_prior

BASE = Job(Question("cr"))


def named(job: Job) -> str:
    return file_name(job, "beta_binomial")


def test_default_name_is_endpoint_model_subset_tiers():
    assert named(BASE) == "cr.beta_binomial.all.AB.nc"


@pytest.mark.parametrize("other", [
    replace(BASE, question=Question("cr", "adult_only")), replace(BASE, question=Question("cr", tiers="A")),
    replace(BASE, question=Question("cr", study_set="all")),
    replace(BASE, question=Question("cr", early_landmarks=False)),
    replace(BASE, question=Question("cr", horizon=24.0)), replace(BASE, level=0.9),
    replace(BASE, priors=(("rho", "Beta(1,10)"),)),
    replace(BASE, priors=(("rho", "Beta(1,11)"),)),
], ids=lambda job: named(job))
def test_fits_that_differ_do_not_overwrite_each_other(other):
    names = {named(BASE), named(replace(BASE, priors=(("rho", "Beta(1,12)"),))), named(other)}
    assert len(names) == 3


def test_seed_depends_on_each_part_and_on_nothing_else():
    seeds = {derive_seed(1, "cr", "all"), derive_seed(2, "cr", "all"), derive_seed(1, "os", "all"),
             derive_seed(1, "cr", "adult_only"), derive_seed(1, "crall")}
    assert len(seeds) == 5 and all(0 <= seed < 2**31 for seed in seeds)
    assert derive_seed(1, "cr", "all") == derive_seed(1, "cr", "all")


def test_second_attempt_is_longer_and_takes_shorter_steps_only_for_divergences():
    longer, careful = more_careful(HEADLINE, "longer"), more_careful(HEADLINE, "careful")
    assert longer.draws == careful.draws > HEADLINE.draws
    assert longer.target_accept == HEADLINE.target_accept < careful.target_accept < 1


def test_quantity_without_moments_has_median_and_interval_only():
    tau = Quantity("tau", np.linspace(1.0, 2.0, 400), "logit", "", moments=False)
    (row,) = summarise(tau, (), chains=4, level=0.95)
    assert np.isnan([row.mean, row.sd, row.mcse]).all() and row.lower < row.median < row.upper


def test_manifest_keeps_every_digit_of_a_prior():
    prior = Prior("Normal", (-2.8514208846823, 1.0))
    assert parse_prior(prior.exact()) == prior
