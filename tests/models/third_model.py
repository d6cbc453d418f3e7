"""Rates whose logits have a t distribution over studies: one far from the others pulls them less."""

from collections.abc import Mapping

import numpy as np
import pymc as pm
from scipy import stats

from models.model import Model
from models.priors import Prior
from models.studies import RateStudies

PRIORS = {"centre": Prior("Normal", (0.0, 2.0)), "scale": Prior("HalfNormal", (0.5,))}
FREEDOM = 4.0
_EVENLY = stats.t(FREEDOM).ppf((np.arange(400) + 0.5) / 400)


def build(studies: RateStudies, priors: Mapping[str, Prior] = PRIORS) -> pm.Model:
    with pm.Model(coords={"study": studies.study_ids}) as model:
        centre, scale = (priors[name].variable(name) for name in PRIORS)
        z = pm.StudentT("z", FREEDOM, dims="study")
        rate = pm.Deterministic("rate", pm.math.sigmoid(centre + scale * z), dims="study")
        pm.Binomial("events", n=studies.evaluable, p=rate, observed=studies.events, dims="study")
        another = pm.StudentT("another_z", FREEDOM)
        pm.Deterministic("another_rate", pm.math.sigmoid(centre + scale * another))
        pm.Deterministic("mean_rate", pm.math.sigmoid(centre + scale * _EVENLY).mean())
    return model


MODEL = Model(name="third", kind="rate", priors=PRIORS, build=build,
              estimands={"mean_rate": "mean_rate", "study_rate": "rate", "new_study_rate": "another_rate"})
