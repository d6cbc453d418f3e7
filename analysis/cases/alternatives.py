"""Priors that stand in for those of a model: what the sensitivity analysis refits and the explorer offers.

References
----------
Jeffreys H. Proc R Soc A 1946;186:453, doi 10.1098/rspa.1946.0056 (Beta(0.5, 0.5)).
Roever C et al. Res Synth Methods 2021;12:448, doi 10.1002/jrsm.1475 (half-normal and half-Cauchy heterogeneity).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from models.log_hazard import PRIORS as HAZARD_PRIORS
from models.priors import Prior, parse_prior


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
