"""Other priors and other likelihoods for the same studies: one prior at a time, then the corners.

The corners combine the extremes of both priors, because a vague location and a wide heterogeneity can do together
what neither does alone.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product

import numpy as np

from analysis.cases.alternatives import ALTERNATIVES
from analysis.cases.case import Case, own_priors
from analysis.chapters.sensitivity.choices import Variant
from analysis.evidence.directory import Evidence
from models import models_of
from models.model import Model
from models.priors import Prior
from models.studies import HazardStudies


def other_priors(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """The headline's likelihood under other priors."""
    for replaced in _replacements(case.model):
        yield Variant(_worded(replaced), case.but(priors={**case.priors, **replaced}))


def other_families(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """The other models of the endpoint's kind under the run's priors; plain instead of split normals for survival."""
    for model in _families(case):
        yield Variant(model.name.replace("_", "-"), case.but(model=model))
    studies = case.studies
    if isinstance(studies, HazardStudies) and np.any((studies.se_lower != studies.se_upper) & studies.is_estimate):
        mean = (studies.se_lower + studies.se_upper) / 2.0
        yield Variant("plain normal for every interval",
                      case.but(studies=replace(studies, se_lower=mean, se_upper=mean)))


def _families(case: Case) -> list[Model]:
    """The other models of the endpoint's kind that are about the same data."""
    return [model for model in models_of(case.model.kind)[1:] if model.takes is case.model.takes]


def other_family_priors(evidence: Evidence, case: Case) -> Iterator[Variant]:
    """The other models of the endpoint's kind under other priors."""
    others = _families(case)
    for model in others:
        usual, prefix = own_priors(model, case.job), f"{model.name.replace('_', '-')}; " if len(others) > 1 else ""
        for replaced in _replacements(model):
            if {**usual, **replaced} != usual:
                yield Variant(prefix + _worded(replaced), case.but(model=model, priors={**usual, **replaced}))


def _replacements(model: Model) -> Iterator[dict[str, Prior]]:
    """The priors to replace, one combination after the other."""
    table = ALTERNATIVES.get(model.name, {})
    yield from ({name: prior} for name, alternatives in table.items() for prior in alternatives.alone)
    if table:
        corners = product(*(alternatives.corners for alternatives in table.values()))
        yield from (dict(zip(table, priors, strict=True)) for priors in corners)


def _worded(replaced: Mapping[str, Prior]) -> str:
    return "; ".join(f"{name} ~ {prior.family}({', '.join(f'{value:.3g}' for value in prior.arguments)})"
                     for name, prior in replaced.items())
