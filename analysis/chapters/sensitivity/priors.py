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

from analysis.cases.case import own_priors
from analysis.chapters.sensitivity.variants import Headline, Variant
from models import models_of
from models.log_hazard import PRIORS as HAZARD_PRIORS
from models.model import Model
from models.priors import Prior
from models.studies import HazardStudies


@dataclass(frozen=True)
class Alternatives:
    """Priors that stand in for those of one model.

    Parameters
    ----------
    location, heterogeneity : tuple of Prior
        Taken one at a time.
    corners : (tuple of Prior, tuple of Prior)
        Locations and heterogeneities of which every pair is taken.
    """

    location: tuple[Prior, ...]
    heterogeneity: tuple[Prior, ...]
    corners: tuple[tuple[Prior, ...], tuple[Prior, ...]]


_CENTRE = HAZARD_PRIORS["eta"].arguments[0]
_JEFFREYS, _LOGISTIC = Prior("Beta", (0.5, 0.5)), Prior("LogitNormal", (0.0, 1.5))
_WIDE_ETA, _NARROW_ETA = Prior("Normal", (_CENTRE, 5.0)), Prior("Normal", (_CENTRE, 1.0))
ALTERNATIVES: Mapping[str, Alternatives] = {
    "beta_binomial": Alternatives(
        (Prior("Beta", (1.0, 1.0)), _JEFFREYS, _LOGISTIC),
        (Prior("Beta", (1.0, 4.0)), Prior("Beta", (1.0, 1.0)), Prior("Beta", (1.0, 10.0)), Prior("Beta", (0.5, 4.0))),
        ((_JEFFREYS, _LOGISTIC), (Prior("Beta", (1.0, 1.0)), Prior("Beta", (1.0, 10.0))))),
    "logit_normal": Alternatives(
        (Prior("Normal", (0.0, 2.0)), Prior("Normal", (0.0, 1.5))),
        (Prior("HalfNormal", (1.0,)), Prior("HalfNormal", (0.5,)), Prior("HalfNormal", (2.0,)),
         Prior("HalfCauchy", (0.5,))),
        ((Prior("Normal", (0.0, 1.5)),), (Prior("HalfNormal", (0.5,)), Prior("HalfNormal", (2.0,))))),
    "log_hazard": Alternatives(
        (HAZARD_PRIORS["eta"], _WIDE_ETA, _NARROW_ETA),
        (Prior("HalfNormal", (0.5,)), Prior("HalfNormal", (1.0,)), Prior("HalfNormal", (0.25,)),
         Prior("HalfCauchy", (0.3,))),
        ((_WIDE_ETA, _NARROW_ETA), (Prior("HalfNormal", (1.0,)), Prior("HalfNormal", (0.25,))))),
}


def replacements(model: Model) -> Iterator[dict[str, Prior]]:
    """The priors to replace, one combination after the other; none for a model without a table."""
    if model.name in ALTERNATIVES:
        location, heterogeneity = model.priors
        found = ALTERNATIVES[model.name]
        yield from ({location: prior} for prior in found.location)
        yield from ({heterogeneity: prior} for prior in found.heterogeneity)
        yield from (dict(zip((location, heterogeneity), pair, strict=True)) for pair in product(*found.corners))


def other_priors(headline: Headline) -> Iterator[Variant]:
    """The headline's likelihood under other priors."""
    for replaced in replacements(headline.case.model):
        yield headline.variant("prior", _worded(replaced), priors={**headline.case.priors, **replaced})


def other_families(headline: Headline) -> Iterator[Variant]:
    """The other models of the endpoint's kind under the run's priors; plain instead of split normals for survival."""
    for model in models_of(headline.endpoint.kind)[1:]:
        yield headline.variant("family", model.name.replace("_", "-"), model=model)
    studies = headline.case.studies
    if isinstance(studies, HazardStudies) and np.any((studies.se_lower != studies.se_upper) & studies.is_estimate):
        mean = (studies.se_lower + studies.se_upper) / 2.0
        yield headline.variant("family", "plain normal for every interval",
                           studies=replace(studies, se_lower=mean, se_upper=mean))


def other_family_priors(headline: Headline) -> Iterator[Variant]:
    """The other models of the endpoint's kind under other priors."""
    others = models_of(headline.endpoint.kind)[1:]
    for model in others:
        usual, prefix = own_priors(model, headline.job), f"{model.name.replace('_', '-')}; " if len(others) > 1 else ""
        for replaced in replacements(model):
            if {**usual, **replaced} != usual:
                yield headline.variant("family_prior", prefix + _worded(replaced), model=model,
                                   priors={**usual, **replaced})


def _worded(replaced: Mapping[str, Prior]) -> str:
    return "; ".join(f"{name} ~ {_short(prior)}" for name, prior in replaced.items())


def _short(prior: Prior) -> str:
    return f"{prior.family}({', '.join(f'{value:.3g}' for value in prior.arguments)})"
