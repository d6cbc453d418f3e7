"""Tables that judge a fit: diagnostics by ArviZ from the saved draws, and agreement of the two engines."""

import math

import numpy as np
import pytest
import xarray as xr

from tests.seen.checking import Table, between, single, value
from tests.seen.facts import of_row, size
from tests.seen.fitted import draws, fits, is_sampled, key
from tests.seen.posterior import posterior
from tests.seen.running import SAMPLED
from tests.seen.test_estimates import HAZARDS, WITHOUT_MOMENTS, chance_below


def test_diagnostics(seen):
    rows = Table(seen, "diagnostics.csv")
    for row in rows.rows:
        studies = of_row(row)
        rows.known(row, "endpoint model subset tiers early_landmarks")
        rows.check(row, **size(studies), seed=fits(seen)[key(row)]["seed"], quadrature_error=between(0.0, 1e-5),
                   location_tail=between(0.05, 1.0) if row["endpoint"] == "os"
                   else _tail_of_the_crude_rate(row["model"], studies),
                   heterogeneity_tail=between(0.0, 1.0) if len(studies) > 1 else None,
                   prior_pull=lambda pull: not pull or 0.0 <= float(pull) < 0.5)
        if is_sampled(row):
            _chains(seen, rows, row)
        else:
            rows.check(row, **dict.fromkeys(("max_rhat", "min_ess_bulk", "min_ess_tail", "divergences", "min_bfmi",
                                             "max_mcse_mean", "max_mcse_limit", "max_mcse_limit_heterogeneity",
                                             "max_engine_z")))
    rows.complete(status="converged", failures=None, stamp=None, study_set="review", chains=4, draws=2400,
                  target_accept=0.95, prior_conflict=None)
    # Equal rows give equal seeds, other ones others.
    # By repr, since the NaN of a study without an estimate does not equal itself.
    contents = {(row["model"], row["endpoint"], repr(of_row(row))): row["seed"] for row in rows.rows}
    assert len(set(contents.values())) == len(contents)
    for row in rows.rows:
        assert row["seed"] == contents[row["model"], row["endpoint"], repr(of_row(row))]


def _tail_of_the_crude_rate(model: str, studies):
    """Two-sided mid-p of all events over all patients under the default priors, by simulation."""
    rng, s = np.random.default_rng(8), 40_000
    sizes = np.array([study.n for study in studies])
    if model == "beta_binomial":
        mu, rho = rng.beta(1, 1, s)[:, None], rng.beta(1, 4, s)[:, None]
        rates = rng.beta(np.maximum(mu * (1 / rho - 1), 1e-12), (1 - mu) * (1 / rho - 1), (s, len(sizes)))
    else:
        m, tau = rng.normal(0, 2, s)[:, None], np.abs(rng.normal(0, 1, s))[:, None]
        rates = 1 / (1 + np.exp(-(m + tau * rng.normal(size=(s, len(sizes))))))
    events, shown = rng.binomial(sizes, rates).sum(axis=1), sum(study.events for study in studies)
    below = np.mean(events < shown) + 0.5 * np.mean(events == shown)
    # The program draws 4,000 times: 4.5 errors of a tail of at most twice one half.
    return between(*(2 * min(below, 1 - below) + sign * 4.5 * 2 * 0.5 / math.sqrt(4000) for sign in (-1, 1)))


def _chains(seen, rows, row) -> None:
    """By ArviZ from the saved draws: over the hyperparameters and every pooled estimand."""
    from arviz_stats.base import array_stats

    path = seen.folder / fits(seen)[key(row)]["posterior"]
    with xr.open_datatree(path) as tree:
        own = {str(name): values.values for name, values in tree["posterior"].data_vars.items() if values.ndim == 2}
        energy, diverging = tree["sample_stats"]["energy"].values, tree["sample_stats"]["diverging"].values
    # What need not have moments is judged by its log.
    own = {name: np.log(values) if name in WITHOUT_MOMENTS else values for name, values in own.items()}
    draws = np.stack(list(own.values()), axis=2)
    shape = {"chain_axis": 0, "draw_axis": 1}
    spread, loose = draws.std(axis=(0, 1)), np.isin(list(own), ["rho", "tau"])
    limit = np.max([array_stats.mcse(draws, method="quantile", prob=p, **shape) for p in (0.025, 0.975)], 0) / spread
    rows.check(row, within=1e-4, max_rhat=array_stats.rhat(draws, **shape).max(),
               max_mcse_mean=(array_stats.mcse(draws, method="mean", **shape) / spread).max(),
               max_mcse_limit=limit[~loose].max(), max_mcse_limit_heterogeneity=limit[loose].max(),
               min_bfmi=np.min(array_stats.bfmi(energy, **shape)), divergences=int(diverging.sum()))
    rows.check(row, within=1.0, min_ess_bulk=array_stats.ess(draws, method="bulk", **shape).min(),
               min_ess_tail=array_stats.ess(draws, method="tail", prob=(0.05, 0.95), **shape).min())
    apart = [abs(float(one["z"])) for one in seen.tables["agreement.csv"] if key(one) == key(row)]
    rows.check(row, max_engine_z=max(apart))


def test_agreement(seen):
    assert SAMPLED, "a run without a sampled fit has nothing to compare"
    rows = Table(seen, "agreement.csv")
    names = [("survival", "12"), ("mean_survival", "12"), ("new_study_survival", "12"), ("median_months", ""),
             ("rmst", "12"), ("rmst", "24"), ("tau", ""), *((name, "") for name in HAZARDS)]
    assert {(row["estimand"], row["time_months"]) for row in rows.rows} == set(names)
    for row in rows.rows:
        twin = single(seen.tables["estimates.csv"], study_id="",
                      **{name: row[name] for name in ("endpoint", "model", "subset", "tiers",
                                                      "early_landmarks", "estimand", "time_months")})
        plane, months = posterior(row["model"], of_row(row)), value(row["time_months"])
        found = rows.numbers(row)
        own = draws(seen, row, row["estimand"] + (f"_{months:g}m" if months else ""))
        p = {"median": 0.5, "lower": 0.025, "upper": 0.975}.get(row["statistic"])
        assert found["exact"] == pytest.approx(value(twin[row["statistic"]]), rel=1e-9)
        rows.check(row, within=1e-6 * own.mean(), sampled=own.mean() if p is None else np.quantile(own, p))
        rows.check(row, agrees=True, mcse=between(0.0, 0.05 * (value(twin["upper"]) - value(twin["lower"]))))
        if row["estimand"].startswith("new"):
            exact = found["exact"]
            assert p is None or chance_below(plane, None, row["estimand"], exact, months) == pytest.approx(p, abs=4e-3)
        else:
            exact = plane.quantile(row["estimand"], p, months) if p else plane.mean(row["estimand"], months)
        rows.check(row, within=2e-3 * abs(exact) + 1e-4, exact=exact)
        # z is the difference in errors of both engines; the exact one is right to 2e-4 SD, which only lowers it.
        z = (found["sampled"] - found["exact"]) / found["mcse"]
        rows.check(row, z=lambda x, z=z: (abs(x) <= abs(z) * 1.01 + 1e-3 and (x * z > 0 or abs(z) < 0.02)
                                          and abs(x) >= 0.9 * abs(z) - 0.02))
        rows.known(row, "estimand time_months statistic")
    rows.complete(endpoint="os", model="log_hazard", subset="all", tiers="AB", study_set="review",
                  early_landmarks=True, stamp=None)
