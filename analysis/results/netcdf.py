"""A fit as a labelled tree with a manifest: what a user opens in ArviZ, and what the file says about itself."""

import errno
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from analysis.cases.settings import QUICK, Job
from analysis.evidence import Evidence
from analysis.inference.fitting import Fit
from analysis.inference.many_studies import is_many
from analysis.inference.nuts import flat
from analysis.system.files import write_atomically
from models.studies import HazardStudies

_PAGE = 1 << 20  # bytes of room below which a disk counts as full
_PACKAGES = ("pymc", "nutpie", "arviz", "numpy")
_LONGEST = 80


def file_name(job: Job, model: str) -> str:
    """Such as cr.beta_binomial.all.AB.nc: endpoint, model, subset and tiers, then what departs from the default."""
    question = job.question
    parts = [question.endpoint, model, question.subset, question.tiers]
    parts += [question.study_set] if question.study_set != "review" else []
    parts += [] if question.early_landmarks else ["no_early"]
    parts += [f"without-{_listed(question.without)}"] if question.without else []
    parts += ["retrospective"] if question.retrospective else []
    parts += ["exact"] if job.engine == "exact" else []
    parts += ["quick"] if job.sampler == QUICK else []
    parts += [f"{question.horizon:g}m"] if question.horizon else []
    parts += [f"level{job.level:g}"] if job.level != Job.level else []
    parts += [f"priors-{sha256(repr(job.priors).encode()).hexdigest()[:8]}"] if job.priors else []
    return ".".join([*parts, "nc"])


def _listed(names: tuple[str, ...]) -> str:
    """The names, or their digest where they would make a file name too long."""
    text = "+".join(names)
    return text if len(text) <= _LONGEST else sha256(text.encode()).hexdigest()[:8]


@cache
def _versions() -> dict[str, str]:
    """Versions of the packages that a posterior rests on; looking them up takes longer than saving it."""
    return {name: version(name) for name in _PACKAGES}


def manifest(fit: Fit, evidence: Evidence) -> dict[str, Any]:
    """How this posterior came about: rows, priors, sampler, seed, versions and checks."""
    question, sampler = fit.case.job.question, fit.sampler
    return {
        "endpoint": question.endpoint, "model": fit.case.model.name, "subset": question.subset, "tiers": question.tiers,
        "study_set": question.study_set, "early_landmarks": question.early_landmarks,
        "without": list(question.without), "retrospective": question.retrospective,
        "horizon_months": fit.case.selection.horizon if fit.case.selection.endpoint.kind == "survival" else None,
        "engine": fit.case.job.engine,
        "data_sha256": evidence.sha256, "rows": [row.row for row in fit.case.selection.rows],
        "priors": {name: prior.exact() for name, prior in fit.case.priors.items()},
        "sampler": {name: getattr(sampler, name) for name in sampler.__dataclass_fields__}, "seed": fit.seed,
        "level": fit.case.job.level, "versions": _versions(),
        "stamp": "QUICK" if fit.case.job.sampler == QUICK else "", "converged": fit.diagnostics.converged,
        "failures": list(fit.diagnostics.failures),
        "warnings": list(fit.warnings),
        "left_out": [asdict(item) for item in fit.case.selection.left_out],
    }


def tree(fit: Fit, evidence: Evidence) -> xr.DataTree:
    """The fit as ArviZ groups; log_likelihood is the marginal one, with the study effect integrated out.

    It is left out, as are the studies' effects, where there are very many studies.
    """
    chains = fit.sampler.chains
    labels = {"study": list(fit.case.selection.study_ids)}
    posterior = fit.posterior.copy()
    for quantity in fit.quantities:
        if quantity.name not in posterior:
            dims = ("chain", "draw", "study")[:quantity.draws.ndim + 1]
            values = quantity.draws.reshape(chains, -1, *quantity.draws.shape[1:])
            posterior[quantity.name] = (dims, values, {"scale": quantity.scale, "unit": quantity.unit})
    studies = fit.case.studies
    survival = isinstance(studies, HazardStudies)
    outcome = "log_hazard" if survival else "events"
    constant = ("se_lower", "se_upper", "events", "person_months", "landmark_months", "patients_each") if survival \
        else ("evaluable",)
    groups = {
        "posterior": posterior.assign_coords(labels),
        "sample_stats": fit.sample_stats,
        **({} if is_many(studies) else {"log_likelihood": _pointwise(fit, outcome, labels)}),
        "observed_data": xr.Dataset({outcome: ("study", np.array(getattr(studies, outcome)))}, labels),
        "constant_data": xr.Dataset({name: ("study", np.array(getattr(studies, name))) for name in constant}, labels),
    }
    whole = xr.DataTree.from_dict(groups)
    whole.attrs["manifest"] = json.dumps(manifest(fit, evidence))
    return whole


def _pointwise(fit: Fit, outcome: str, labels: Mapping[str, list[str]]) -> xr.Dataset:
    """Marginal log likelihood of each study at each draw."""
    values = fit.case.model.log_likelihood(flat(fit.posterior), fit.case.studies)
    by_chain = values.reshape(fit.sampler.chains, -1, len(fit.case.studies))
    return xr.Dataset({outcome: (("chain", "draw", "study"), by_chain)},
                      {**labels, "chain": fit.posterior.chain, "draw": fit.posterior.draw})


def save(fit: Fit, evidence: Evidence, folder: Path) -> Path:
    """Write the tree as netCDF, whole or not at all; returns its path. Only single precision is kept per study."""
    path = folder / file_name(fit.case.job, fit.case.model.name)
    whole = tree(fit, evidence)
    encoding = {f"/{group}": {str(name): {"dtype": "float32"} for name, values in whole[group].items()
                              if "study" in values.dims} for group in ("posterior", "log_likelihood")
                if group in whole.children}
    write_atomically(path, lambda temporary: _to_netcdf(whole, temporary, encoding))
    return path


def _to_netcdf(whole: xr.DataTree, path: Path, encoding: dict[str, dict[str, dict[str, str]]]) -> None:
    try:
        whole.to_netcdf(path, engine="netcdf4", encoding=encoding)
    except RuntimeError as error:  # the library tells no reason
        full = shutil.disk_usage(path.parent).free < path.stat().st_size + _PAGE
        raise OSError(*((errno.ENOSPC, os.strerror(errno.ENOSPC)) if full else (errno.EIO, str(error)))) from error
