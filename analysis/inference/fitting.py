"""From a case to a fit: draws, their diagnostics, the estimates, and both engines held against each other.

Of very many studies the estimates are made in batches from fewer draws, and no draw of them is kept: with 100,000
studies and 20,000 draws the draws alone are 16 GB, and the pointwise log likelihood another 16.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from analysis.cases.case import Case, NoStudies, no_study
from analysis.cases.curves import contradicted_points
from analysis.cases.hazards import effective_notes
from analysis.cases.settings import EXACT, Sampler, derive_seed, more_careful
from analysis.inference.conflict import Check, check
from analysis.inference.diagnostics import Agreement, Diagnostics, agreements, diagnose, with_agreement
from analysis.inference.estimands import OF_A_STUDY, SPREADS, Estimate, Quantity, of_effects, quantities_of, summarise
from analysis.inference.grid import QuadratureFailed
from analysis.inference.nuts import flat, sample
from analysis.inference.posterior import Posterior, posterior_of
from analysis.system.progress import Progress
from models.model import Draws
from models.studies import CurveStudies, Studies

if TYPE_CHECKING:
    import xarray as xr

MANY = 2_000
"""Studies above which a fit keeps nothing study by study but the estimates."""

DRAWS = 2_000
_BATCH = 500


@dataclass(frozen=True)
class Fit:
    """Draws from the posterior of a case with all that is needed to judge them.

    Parameters
    ----------
    sampler : Sampler
        What was used: the job's, or the more careful one of a second attempt.
    estimates : tuple of Estimate
        The engine's own; empty where the diagnostics fail.
    draws : mapping of str to array, shape (chain * draw, ...)
        Of each variable, with the chains one after the other.
    chains : (Dataset, Dataset) or None
        The same by chain with statistics of the sampler, as it left them; None for independent draws.
    exact : Posterior or None
        By quadrature; None where it did not settle or the model has no density, and then the priors are not checked.
    agreement : tuple of Agreement
        Both engines side by side where one of them sampled.
    """

    case: Case
    sampler: Sampler
    seed: int
    diagnostics: Diagnostics
    estimates: tuple[Estimate, ...]
    draws: Draws = field(repr=False)
    quantities: tuple[Quantity, ...] = field(repr=False)
    chains: "tuple[xr.Dataset, xr.Dataset] | None" = field(default=None, repr=False)
    exact: Posterior | None = field(default=None, repr=False)
    agreement: tuple[Agreement, ...] = ()
    prior_check: Check = Check()

    @cached_property
    def posterior(self) -> "xr.Dataset":
        """The draws by chain; independent ones in as many parts as there would be chains."""
        import xarray as xr

        if self.chains:
            return self.chains[0]
        shape = (self.sampler.chains, self.sampler.draws)
        return xr.Dataset({name: (("chain", "draw"), values.reshape(shape)) for name, values in self.draws.items()},
                          {"chain": np.arange(shape[0]), "draw": np.arange(shape[1])})

    @property
    def sample_stats(self) -> "xr.Dataset":
        """Statistics of the sampler; none for independent draws."""
        import xarray as xr

        return self.chains[1] if self.chains else xr.Dataset()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader should know about the rows and the priors."""
        case = self.case
        of_points = contradicted_points(case.selection.curves) if isinstance(case.studies, CurveStudies) else ()
        on_many = [f"{len(case.studies):,} studies: each one's estimate rests on {DRAWS:,} draws, and a saved "
                   "posterior holds neither them nor the pointwise log likelihood"] if is_many(case.studies) else []
        return (*case.selection.warnings, *effective_notes(case.selection.rows, case.conversions), *of_points,
                *on_many, *self.prior_check.warnings)

    @property
    def printed(self) -> tuple[Estimate, ...]:
        """The estimates as readers get them: pooled ones by quadrature, so that no Monte-Carlo error moves a digit.

        What hangs on them is computed by quadrature, too, and so repeats the same numbers. Estimates of single
        studies, and all where the quadrature did not settle, are the engine's own. `mcse` stays that of the draws,
        which are what is saved.
        """
        by_quadrature = {item.name: item for item in self.exact.pooled} if self.exact else {}
        return tuple(replace(by_quadrature[estimate.name].estimate(self.case.level), mcse=estimate.mcse)
                     if estimate.study_id is None and estimate.name in by_quadrature else estimate
                     for estimate in self.estimates)

    @property
    def log_evidence(self) -> float | None:
        """Log of the marginal likelihood; None where the quadrature did not settle."""
        return self.exact.log_evidence if self.exact else None


def run(case: Case, *, cores: int = 2) -> Fit:
    """Make one fit, with the engine that the case's job names.

    Raises
    ------
    NoStudies
        When no row answers the question.
    NeedsDensity
        When quadrature is asked for and the model has no density.
    SamplingFailed, QuadratureFailed
        When there is no result.
    """
    if not len(case.studies):
        raise NoStudies(no_study(case.question, (case.selection,)))
    seed = _seed(case)
    if case.job.engine == EXACT:
        try:
            return _with_many(_exact(case, case.job.sampler, seed), seed)
        except QuadratureFailed:
            if not case.job.fallback:
                raise
    fit = _sampled(case, case.job.sampler, seed, cores)
    if fit.diagnostics.remedy:
        fit = _sampled(case, more_careful(case.job.sampler, fit.diagnostics.remedy), seed, cores)
    return _with_many(fit, seed) if fit.diagnostics.converged else replace(fit, estimates=())


def study_estimates(exact: Posterior) -> tuple[Estimate, ...]:
    """The shrunken rate, or survival, of each study as `run` gives it by quadrature, without the rest of a fit.

    None of very many studies, which take longest.
    """
    case, seed, sampler = exact.case, _seed(exact.case), exact.case.job.sampler
    if is_many(case.studies):
        return ()
    draws = exact.draw(sampler.chains * sampler.draws, np.random.default_rng([seed, 2]))
    effects = case.model.density.study_effects(draws, case.studies, np.random.default_rng([seed, 1]))
    quantities = of_effects(case.model, draws, effects, None, only=OF_A_STUDY, horizon=case.selection.horizon)
    return _summaries(case, [quantity for quantity in quantities if quantity.estimand in OF_A_STUDY], sampler,
                      independent=True)


def _seed(case: Case) -> int:
    return derive_seed(case.job.seed, case.question.endpoint, case.model.name, case.studies.content)


def _with_many(fit: Fit, seed: int) -> Fit:
    """The fit with the estimate of each of very many studies, in batches, with progress on standard error."""
    case, studies, chains = fit.case, fit.case.studies, fit.sampler.chains
    if not is_many(studies):
        return fit
    rng, progress = np.random.default_rng([seed, 3]), Progress(-(-len(studies) // _BATCH))
    fewer = {name: _spaced(values, chains) for name, values in fit.draws.items()}
    estimates = list(fit.estimates)
    for start in range(0, len(studies), _BATCH):
        places = slice(start, start + _BATCH)
        part = studies.take(places)
        # A model without a density has its own draws of each study.
        of_part = {name: values[:, places] if values.ndim == 2 else values for name, values in fewer.items()}
        for quantity in _quantities(case, of_part, part, rng):
            if quantity.draws.ndim == 2:
                estimates += summarise(quantity, part.study_ids, chains=chains, level=case.level)
        progress.step(f"estimates of {min(start + _BATCH, len(studies)):,} of {len(studies):,} studies")
    progress.close()
    return replace(fit, estimates=tuple(estimates))


def _sampled(case: Case, sampler: Sampler, seed: int, cores: int) -> Fit:
    """Chains, held against quadrature where that settles."""
    chains = sample(case.model, case.studies, case.priors, sampler=sampler, seed=seed, cores=cores)
    draws = flat(chains[0])
    quantities = _quantities(case, draws, case.studies, np.random.default_rng([seed, 1]))
    fit = Fit(case, sampler, seed, _diagnose(case, draws, quantities, chains[1], sampler),
              _summaries(case, quantities, sampler), draws, quantities, chains)
    if case.model.marginal is None:
        return fit
    try:
        exact = posterior_of(case)
    except QuadratureFailed:
        return fit
    agreement = agreements(quantities, exact.pooled, chains=sampler.chains, level=case.level)
    return replace(fit, exact=exact, agreement=agreement, prior_check=prior_check(exact),
                   diagnostics=with_agreement(fit.diagnostics, agreement, exact.grid.error))


def _exact(case: Case, sampler: Sampler, seed: int) -> Fit:
    """Quadrature; study effects and the saved posterior are independent draws from it."""
    exact = posterior_of(case)
    draws = exact.draw(sampler.chains * sampler.draws, np.random.default_rng([seed, 2]))
    quantities = _quantities(case, draws, case.studies, np.random.default_rng([seed, 1]))
    by_name = {item.name: (item.estimate(case.level),) for item in exact.pooled}
    estimates = tuple(estimate for quantity in quantities for estimate in
                      by_name.get(quantity.name) or _summaries(case, [quantity], sampler, independent=True))
    return Fit(case, sampler, seed, Diagnostics(quadrature_error=exact.grid.error), estimates, draws, quantities,
               exact=exact, prior_check=prior_check(exact))


def prior_check(exact: Posterior) -> Check:
    """The priors of a case held against its studies."""
    case = exact.case
    return check(exact.grid, case.studies, horizon=case.selection.horizon, level=case.level)


def _summaries(case: Case, quantities: Sequence[Quantity], sampler: Sampler, *,
               independent: bool = False) -> tuple[Estimate, ...]:
    return tuple(estimate for quantity in quantities for estimate in summarise(
        quantity, case.studies.study_ids, chains=sampler.chains, level=case.level, independent=independent))


def _quantities(case: Case, draws: Draws, studies: Studies, rng: np.random.Generator) -> tuple[Quantity, ...]:
    """The estimands of all draws; of very many studies none is kept draw by draw."""
    return tuple(quantities_of(case.model, draws, studies, horizon=case.selection.horizon, rng=rng,
                               each=not is_many(studies)))


def _diagnose(case: Case, draws: Draws, quantities: Sequence[Quantity], stats: "xr.Dataset",
              sampler: Sampler) -> Diagnostics:
    # Without moments there is no SD to measure an error by; the log has one, and the same quantiles.
    pooled = {quantity.name: quantity.draws if quantity.moments else np.log(quantity.draws)
              for quantity in quantities if quantity.draws.ndim == 1 and np.ptp(quantity.draws) > 0}
    checked = {**{name: draws[name] for name in case.model.priors}, **pooled}
    return diagnose({name: values.reshape(sampler.chains, -1) for name, values in checked.items()}, stats,
                    level=case.level, heterogeneity=(*SPREADS, list(case.model.priors)[-1]))


def interval_probability(fit: Fit, estimand: str, months: float, low: float, high: float) -> float | None:
    """Posterior probability that an estimand lies in a given interval; None where the fit has it at other months."""
    names = (estimand, f"{estimand}_{months:g}m")
    exact = next((item.distribution for item in fit.exact.pooled if item.name in names), None) if fit.exact else None
    if exact:
        return float(exact.cdf(high) - exact.cdf(low))
    draws = next((quantity.draws for quantity in fit.quantities if quantity.name in names), None)
    return None if draws is None else float(np.mean((draws >= low) & (draws <= high)))


def is_many(studies: Studies) -> bool:
    """Whether there are more studies than a fit keeps draws of."""
    return len(studies) > MANY


def _spaced(values: np.ndarray, chains: int) -> np.ndarray:
    """About DRAWS of the draws, evenly spaced in each chain."""
    by_chain = values.reshape(chains, -1, *values.shape[1:])
    step = max(1, by_chain.shape[1] * chains // DRAWS)
    return by_chain[:, ::step].reshape(-1, *values.shape[1:])
