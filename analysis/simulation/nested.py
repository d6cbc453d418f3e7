"""Calibration of two nested rates: truths from the prior, counts of whole, part or both, and the exact posterior."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from analysis.cases.nesting import Nesting
from analysis.inference.nested import joined
from analysis.inference.pooled import hyperparameters
from models.beta_binomial import MODEL
from models.nested_beta_binomial import PRIORS, NestedStudies
from models.priors import Prior
from models.studies import RateStudies

INNER_RATE = "inner_rate"
QUANTITIES = (*PRIORS, INNER_RATE)
"""Both pairs of hyperparameters, and the mean rate of the inner event among all patients."""


def blank_studies(nesting: Nesting) -> NestedStudies:
    """Who reports what of how many patients, without an event; of studies with both counts the inner one, too."""
    studies, size = nesting.studies, {row.study_id: row.outer.n for row in nesting.rows if row.outer}
    return design_of_patients({"outer": size, "inner": {row.study_id: size[row.study_id] for row in nesting.rows
                                                        if row.role == "both"},
                               "inner_only": patients_of(studies.inner_only)})


def patients_of(studies: RateStudies) -> dict[str, int]:
    """Patients by study."""
    return dict(zip(studies.study_ids, studies.evaluable.tolist(), strict=True))


def design_of_patients(parts: Mapping[str, Mapping[str, int]]) -> NestedStudies:
    """The blank studies of such numbers of patients, by outer, inner and inner_only."""
    return NestedStudies(**{part: RateStudies(tuple(parts[part]), np.zeros(len(parts[part])), [*parts[part].values()])
                            for part in ("outer", "inner", "inner_only")})


def nested_pits(design: NestedStudies, priors: Mapping[str, Prior], rng: np.random.Generator) -> dict[str, float]:
    """Posterior probability below the truth of each quantity, of one simulated set of studies."""
    truth = {name: float(prior.draw(1, rng)[0]) for name, prior in priors.items()}
    joint = joined(simulated(design, truth, rng), priors)
    below = {f"{name}_{part}": of.cdf for part, grid in zip(("outer", "inner"), joint.grids, strict=True)
             for name, of in hyperparameters(grid).items()} | {INNER_RATE: joint.inner_rate_cdf}
    truth[INNER_RATE] = truth["mu_outer"] * truth["mu_inner"]
    return {name: float(below[name](truth[name])) for name in QUANTITIES}


def simulated(design: NestedStudies, truth: Mapping[str, float], rng: np.random.Generator) -> NestedStudies:
    """Counts of every study of the design: of a study without an outer event the inner count says nothing."""
    def counted(patients: np.ndarray, part: str) -> np.ndarray:
        of_studies = {name: np.full(len(patients), truth[f"{name}_{part}"]) for name in ("mu", "rho")}
        return rng.binomial(patients, MODEL.marginal.new_study(of_studies, rng))

    whole = replace(design.outer, events=counted(design.outer.evaluable, "outer"))
    events = dict(zip(whole.study_ids, whole.events, strict=True))
    base = np.array([events[name] for name in design.inner.study_ids], dtype=int)
    part = RateStudies(design.inner.study_ids, counted(base, "inner"), base).take(base > 0)
    alone = counted(counted(design.inner_only.evaluable, "outer"), "inner")
    return NestedStudies(whole, part, replace(design.inner_only, events=alone))
