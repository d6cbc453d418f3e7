"""The beta-binomial with the heterogeneity phi = rho/(1 - rho) in place of rho, of which it reports nothing."""

from collections.abc import Mapping
from dataclasses import replace

import pymc as pm

from models import beta_binomial as known
from models.backend import GRAPH, Array, Backend
from models.coordinates import located
from models.model import Draws
from models.priors import Prior
from models.studies import RateStudies

PRIORS = {"mean": Prior("Beta", (1.0, 1.0)), "phi": Prior("HalfNormal", (0.5,))}


def _known(draws: Draws) -> dict[str, Array]:
    return {"mu": draws["mean"], "rho": draws["phi"] / (1.0 + draws["phi"])}


def conditional(phi: Array, inputs: Mapping[str, Array], *, on: Backend) -> tuple[Array, Array]:
    return known.conditional(phi / (1.0 + phi), inputs, on=on)


def build(studies: RateStudies, priors: Mapping[str, Prior] = PRIORS) -> pm.Model:
    with pm.Model() as model:
        inputs = {name: pm.Data(name, table) for name, table in known.data(studies).items()}
        phi = priors["phi"].variable("phi")
        centre, spread = conditional(phi, inputs, on=GRAPH)
        mean = located("mean", priors["mean"], centre=centre, spread=spread)
        pm.Potential("log_likelihood", known.log_density(_known({"mean": mean, "phi": phi}), inputs, on=GRAPH))
    return model


MODEL = replace(
    known.MODEL, name="third", rank=7, priors=PRIORS, supports={"mean": "unit", "phi": "positive"}, build=build,
    conditional=conditional, population=lambda draws: {"mean_rate": draws["mean"]}, without_moments=(),
    log_density=lambda draws, inputs, *, on: known.log_density(_known(draws), inputs, on=on),
    log_likelihood=lambda draws, studies: known.log_likelihood(_known(draws), studies),
    study_effects=lambda draws, studies, rng: known.study_effects(_known(draws), studies, rng),
    new_study=lambda draws, rng: known.new_study(_known(draws), rng),
    new_study_cdf=lambda draws, x: known.new_study_cdf(_known(draws), x))
