"""A fit as a labelled tree with a manifest: what a user opens in ArviZ, and what the file says about itself."""

import errno
import json
import logging
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.cases.settings import QUICK, file_name
from analysis.evidence.directory import Evidence
from analysis.inference.estimands import Quantity, of_effects
from analysis.inference.fitting import Fit, is_many
from analysis.inference.nuts import flat
from analysis.inference.prediction import further_studies, outcome, replicates
from analysis.results.tables import question_cells
from analysis.system.files import write_atomically
from models.curves import NEVER
from models.studies import CurveStudies, HazardStudies, RateStudies

_PAGE = 1 << 20  # bytes of room below which a disk counts as full
_PACKAGES = ("pymc", "nutpie", "arviz", "numpy")
_CONSTANT = {RateStudies: ("evaluable",), CurveStudies: ("patients_each",), HazardStudies: (
    "se_lower", "se_upper", "events", "person_months", "landmark_months", "patients_each")}
PREDICTED = 1_000
"""Draws of prior and predictions; ArviZ draws a hundred of them."""


@cache
def _versions() -> dict[str, str]:
    """Versions of the packages that a posterior rests on; looking them up takes longer than saving it."""
    return {name: version(name) for name in _PACKAGES}


def manifest(fit: Fit, evidence: Evidence) -> dict[str, Any]:
    """How this posterior came about: rows, priors, sampler, seed, versions and checks."""
    case, question, selection = fit.case, fit.case.question, fit.case.selection
    return {
        **question_cells(question, case.model.name), "without": list(question.without),
        "retrospective": question.retrospective, "horizon_months": case.horizon, "engine": case.job.engine,
        "data_sha256": evidence.sha256, "rows": [row.row for row in selection.rows],
        "priors": {name: prior.exact() for name, prior in case.priors.items()}, "sampler": asdict(fit.sampler),
        "seed": fit.seed, "level": case.level, "versions": _versions(),
        "stamp": "QUICK" if case.job.sampler == QUICK else "", "converged": fit.diagnostics.converged,
        "failures": list(fit.diagnostics.failures), "warnings": list(fit.warnings),
        "left_out": [asdict(item) for item in selection.left_out]}


def tree(fit: Fit, evidence: Evidence) -> xr.DataTree:
    """The fit as ArviZ groups.

    Likelihood and predictions are those of a further study of the same size: the study's own effect is integrated out,
    as leave-one-out asks. Predictions are made from about `PREDICTED` draws, which keep their labels. Where there are
    very many studies, nothing is kept study by study; a model without a density has no pointwise log likelihood.
    """
    case = fit.case
    posterior = fit.posterior.assign_coords(study=list(case.studies.study_ids))
    step = max(1, posterior.sizes["chain"] * posterior.sizes["draw"] // PREDICTED)
    fewer = posterior.isel(draw=slice(None, None, step))
    predicted = _from_density(fit, fewer) if case.model.marginal else _from_graph(fit, fewer)
    groups = {
        "posterior": _with_quantities(posterior, fit.quantities), **predicted, "sample_stats": fit.sample_stats,
        "log_prior": xr.Dataset({name: (("chain", "draw"), prior.log_density_at(posterior[name].values))
                                 for name, prior in case.priors.items()}, posterior[["chain", "draw"]].coords),
        "constant_data": xr.Dataset({name: ("study", np.array(getattr(case.studies, name)))
                                     for name in _CONSTANT[type(case.studies)]}, {"study": posterior.study})}
    whole = xr.DataTree.from_dict(groups)
    whole.attrs["manifest"] = json.dumps(manifest(fit, evidence))
    return whole


def _with_quantities(draws: xr.Dataset, quantities: Iterable[Quantity]) -> xr.Dataset:
    """The draws with every quantity that is not among them, and what a median of months has that is never reached."""
    chains, more = draws.sizes["chain"], {}
    for quantity in quantities:
        if quantity.name not in draws:
            values = quantity.draws.reshape(chains, -1, *quantity.draws.shape[1:])
            more[quantity.name] = (("chain", "draw", "study")[:values.ndim], values,
                                   {"scale": quantity.scale, "unit": quantity.unit, **(
                                       {"never_reached": NEVER} if quantity.estimand == "median_months" else {})})
    return draws.assign(more)


def _from_density(fit: Fit, fewer: xr.Dataset) -> dict[str, xr.Dataset]:
    """Prior, predictions, outcomes and pointwise log likelihood of a model with a density."""
    model, studies, rng = fit.case.model, fit.case.studies, np.random.default_rng([fit.seed, 4])
    name, observed = outcome(studies)

    def by_study(values: np.ndarray, like: xr.Dataset) -> xr.Dataset:
        shape = (like.sizes["chain"], -1, len(studies))
        return xr.Dataset({name: (("chain", "draw", "study"), values.reshape(shape))}, like.coords)

    hyperparameters = {key: prior.draw(PREDICTED, rng) for key, prior in fit.case.priors.items()}
    prior = xr.Dataset({key: (("chain", "draw"), values[None]) for key, values in hyperparameters.items()},
                       {"chain": [0], "draw": np.arange(PREDICTED), "study": fewer.study})
    each = not is_many(studies)
    effects = further_studies(model, hyperparameters, len(studies), rng) if each else None
    of_prior = of_effects(model, hyperparameters, effects, model.density.new_study(hyperparameters, rng),
                          horizon=fit.case.selection.horizon)
    groups = {"prior": _with_quantities(prior, of_prior),
              "observed_data": xr.Dataset({name: ("study", observed)}, {"study": fewer.study})}
    if each:
        draws = flat(fewer)
        again = further_studies(model, draws, len(studies), rng)
        pointwise = model.density.log_likelihood(fit.draws, studies)
        groups |= {"prior_predictive": by_study(replicates(model, studies, hyperparameters, effects, rng), prior),
                   "posterior_predictive": by_study(replicates(model, studies, draws, again, rng), fewer),
                   "log_likelihood": by_study(pointwise, fit.posterior.assign_coords(study=fewer.study))}
    return groups


def _from_graph(fit: Fit, fewer: xr.Dataset) -> dict[str, xr.Dataset]:
    """Prior, predictions and outcomes of a model without a density, by PyMC; effects of studies are drawn anew."""
    import pymc as pm

    model, priors = fit.case.model, fit.case.priors
    # A thousand draws take less time than compiling for them.
    quickly = {"random_seed": fit.seed, "compile_kwargs": {"mode": "FAST_COMPILE"}}
    logging.getLogger("pymc").setLevel(logging.WARNING)
    with model.build(fit.case.studies, priors):
        drawn = pm.sample_prior_predictive(draws=PREDICTED, **quickly)
        again = pm.sample_posterior_predictive(fewer[list(priors)], progressbar=False, **quickly)
    prior = drawn["prior"].dataset
    return {"prior": prior.assign({name: prior[variable] for name, variable in model.estimands.items()}),
            **{name: drawn[name].dataset for name in ("prior_predictive", "observed_data")},
            "posterior_predictive": again["posterior_predictive"].dataset}


def save(fit: Fit, evidence: Evidence, folder: Path) -> Path:
    """Write the tree as netCDF, whole or not at all; returns its path. Only single precision is kept per study."""
    path = folder / file_name(fit.case.job, fit.case.model.name)
    whole = tree(fit, evidence)
    # Predictions stay what they are: they are compared with what was observed, and may be equal.
    encoding = {f"/{group}": {str(name): {"dtype": "float32"} for name, values in whole[group].data_vars.items()
                              if group == "log_prior" or "study" in values.dims}
                for group in ("posterior", "prior", "log_likelihood", "log_prior") if group in whole.children}
    write_atomically(path, lambda temporary: _to_netcdf(whole, temporary, encoding))
    return path


def _to_netcdf(whole: xr.DataTree, path: Path, encoding: dict[str, dict[str, dict[str, str]]]) -> None:
    try:
        whole.to_netcdf(path, engine="netcdf4", encoding=encoding)
    except RuntimeError as error:  # the library tells no reason
        full = shutil.disk_usage(path.parent).free < path.stat().st_size + _PAGE
        raise OSError(*((errno.ENOSPC, os.strerror(errno.ENOSPC)) if full else (errno.EIO, str(error)))) from error
