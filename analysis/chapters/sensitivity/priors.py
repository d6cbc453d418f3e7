"""Other priors and other likelihoods for the same studies: one prior at a time, then the corners.

The corners combine the extremes of both priors, because a vague location and a wide heterogeneity can do together
what neither does alone.

References
----------
Jeffreys H. Proc R Soc A 1946;186:453, doi 10.1098/rspa.1946.0056 (Beta(0.5, 0.5)).
Roever C et al. Res Synth Methods 2021;12:448, doi 10.1002/jrsm.1475 (half-normal and half-Cauchy heterogeneity).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from analysis.cases.case import Case, own_priors
from analysis.chapters.sensitivity.choices import Variant
from analysis.evidence.types import Evidence
from models import models_of
from models.log_hazard import PRIORS as HAZARD_PRIORS
from models.model import Model
from models.priors import Prior, parse_prior
from models.studies import HazardStudies


@dataclass(frozen=True)
class Alternatives:
    """Priors that stand in for that of one parameter.

    Parameters
    ----------
    alone : tuple of Prior
        Beside the other parameter's own prior.
    corners : tuple of Prior
        Beside each corner of the other parameter.
    """

    alone: tuple[Prior, ...]
    corners: tuple[Prior, ...]


def _alternatives(alone: str, corners: str) -> Alternatives:
    return Alternatives(*(tuple(map(parse_prior, texts.split("; "))) for texts in (alone, corners)))


_CENTRE = HAZARD_PRIORS["eta"].arguments[0]
_WIDE, _NARROW = f"Normal({_CENTRE!r}, 5)", f"Normal({_CENTRE!r}, 1)"
ALTERNATIVES: Mapping[str, Mapping[str, Alternatives]] = {
    "beta_binomial": {
        "mu": _alternatives("Beta(1, 1); Beta(0.5, 0.5); LogitNormal(0, 1.5)", "Beta(0.5, 0.5); LogitNormal(0, 1.5)"),
        "rho": _alternatives("Beta(1, 4); Beta(1, 1); Beta(1, 10); Beta(0.5, 4)", "Beta(1, 1); Beta(1, 10)")},
    "logit_normal": {
        "m": _alternatives("Normal(0, 2); Normal(0, 1.5)", "Normal(0, 1.5)"),
        "tau": _alternatives("HalfNormal(1); HalfNormal(0.5); HalfNormal(2); HalfCauchy(0.5)",
                             "HalfNormal(0.5); HalfNormal(2)")},
    "log_hazard": {
        "eta": _alternatives(f"Normal({_CENTRE!r}, {HAZARD_PRIORS['eta'].arguments[1]!r}); {_WIDE}; {_NARROW}",
                             f"{_WIDE}; {_NARROW}"),
        "tau": _alternatives("HalfNormal(0.5); HalfNormal(1); HalfNormal(0.25); HalfCauchy(0.3)",
                             "HalfNormal(1); HalfNormal(0.25)")},
}
"""By model and parameter; a model that is not named here keeps its priors."""


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
