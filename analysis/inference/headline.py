"""The two numbers that are followed when studies come and go: the main estimand and the heterogeneity, exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.cases.selection import Selection, select
from analysis.cases.settings import Job
from analysis.evidence import Evidence
from analysis.inference.distribution import Distribution, distribution
from analysis.inference.estimands import MAIN, heterogeneity_of
from analysis.inference.fitting import model_for, priors_of, typed_studies
from analysis.inference.grid import Grid
from models.model import Model
from models.priors import Prior
from models.studies import RateStudies, Studies

MOST_STUDIES = 200
"""Studies beyond which nothing is left out in turn: one in two hundred moves nothing."""

MOST_PATIENTS = 2000
"""Patients of one study beyond which its counts are not predicted one by one."""


@dataclass(frozen=True)
class Asked:
    """A job with everything that its question needs.

    Parameters
    ----------
    studies : RateStudies or HazardStudies
    horizon : float or None
        Months at which survival is read; None for a rate.
    """

    job: Job
    selection: Selection
    model: Model
    priors: Mapping[str, Prior]
    studies: Studies
    horizon: float | None

    @property
    def main(self) -> str:
        """Name of the main estimand."""
        return MAIN[self.model.kind]

    @property
    def spread(self) -> str:
        """Name of the heterogeneity that is followed."""
        return heterogeneity_of(self.model)

    @property
    def cells(self) -> dict[str, object]:
        """What every row of this question shares."""
        question = self.job.question
        return {"endpoint": question.endpoint, "tiers": question.tiers, "study_set": question.study_set,
                "model": self.model.name, "estimand": self.main, "time_months": self.horizon,
                "level": self.job.level, "interval": "credible"}


@dataclass(frozen=True)
class Summary:
    """Posterior median and equal-tailed limits, mean and standard deviation."""

    median: float
    lower: float
    upper: float
    mean: float
    sd: float


def asked(evidence: Evidence, job: Job) -> Asked:
    """The selection, model, priors and typed studies of a job.

    Raises
    ------
    UsageError
        When endpoint, subset, model or prior do not exist or do not go together.
    """
    selection = select(evidence, job.question)
    endpoint = selection.endpoint
    model = model_for(endpoint.kind, job.model)
    horizon = selection.horizon if endpoint.kind == "survival" else None
    return Asked(job, selection, model, priors_of(model, job), typed_studies(selection)[0], horizon)


def distributions(grid: Grid, names: Sequence[str], *, horizon: float | None) -> list[Distribution]:
    """The posterior distributions of pooled estimands.

    Parameters
    ----------
    names : sequence of str
        Of hyperparameters and of estimands that are functions of them, such as mean_rate or tau.
    horizon : float or None
        Months; not used for rates.
    """
    # Fewer functions of the grid than `quantities_at`: these are needed once per study.
    values = {**grid.values, **grid.density.model.population(grid.values)}
    if horizon is not None:
        values = {**values, "survival": np.exp(-horizon * np.exp(values["eta"]))}
    return [distribution(grid, values[name]) for name in names]


def summary(found: Distribution, *, level: float) -> Summary:
    """The numbers of a distribution that tables hold."""
    lower, median, upper = found.quantile(np.array([(1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0]))
    return Summary(float(median), float(lower), float(upper), found.mean, found.sd)


def sizes(studies: Studies) -> np.ndarray:
    """Patients of each study, shape (k,)."""
    return studies.evaluable if isinstance(studies, RateStudies) else studies.patients_each


def too_large(studies: Studies) -> str:
    """Why these studies are not left out one by one; empty where they are."""
    if len(studies) > MOST_STUDIES:
        return f"more than {MOST_STUDIES} studies"
    if isinstance(studies, RateStudies) and len(studies) and int(studies.evaluable.max()) > MOST_PATIENTS:
        return f"a study of more than {MOST_PATIENTS:,} patients"
    return ""
