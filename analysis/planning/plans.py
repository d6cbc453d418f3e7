"""Everything that a planned single-arm trial is told: its prior, what that is worth, and how its rule would fare."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import special

from analysis.cases.case import Case, NoStudies, case_of, model_for, no_study
from analysis.cases.selection import candidates
from analysis.cases.settings import Job
from analysis.evidence.directory import Evidence
from analysis.inference.posterior import NO_POSTERIOR, Posterior, posterior_of
from analysis.inference.prediction import CountLaw
from analysis.planning.mixtures import WIDEST, Mixture, Predictive, effective_sizes, fitted
from analysis.planning.settings import PREDICTIVE, ROBUST, UNIFORM, Plan
from analysis.planning.trial import Interim, Rule, assurance, counts_under, interim, size_for
from analysis.system.errors import UsageError

_FALLING = "weibull"
_CELLS, _TAIL = 400, 1e-7
_FEWEST_STEPS, _NARROWEST = 4, 4e-3  # of a look; a distribution that is narrower is as good as a point
_FURTHEST_HAZARDS = -30.0, 6.0  # logs of cumulative ones: survival is 1 or 0 to more digits than are printed
_MOST_AT_ONCE = 2_000_000  # terms of a sum
_STEPS = np.round(np.arange(0.05, 1.0, 0.05), 2)


@dataclass(frozen=True, eq=False)
class Design:
    """A plan with its answers.

    Parameters
    ----------
    prior : Mixture
        The predictive distribution of a new study.
    """

    case: Case
    plan: Plan
    prior: Mixture

    @cached_property
    def sizes(self) -> dict[str, float | None]:
        """Effective sample sizes of the prior, patients."""
        return effective_sizes(self.prior)

    @cached_property
    def above(self) -> bool:
        """Whether more patients are better: survival is, and so are events that are no harm."""
        return self.case.model.kind == "survival" or self.case.selection.endpoint.direction != "harm"

    def rule(self, analysis: str) -> Rule:
        """The rule under a prior of the analysis; the uniform one is of the rate, or of survival itself."""
        prior = {PREDICTIVE: self.prior, ROBUST: self.prior.robust(self.plan.robust),
                 UNIFORM: Mixture("beta", *np.ones((3, 1)))}[analysis]
        return Rule(prior, self.plan.threshold, self.plan.confidence, self.above)

    @cached_property
    def chosen(self) -> Rule:
        """The rule of the plan."""
        return self.rule(self.plan.analysis)

    def assurance(self, analysis: str) -> float:
        """Probability of success of the plan's size, averaged over the predictive distribution."""
        return assurance(self.rule(analysis), self.plan.n, self.prior)

    @cached_property
    def size(self) -> int | None:
        """Patients from which on the target assurance holds; None where it does not."""
        return size_for(self.chosen, self.prior, self.plan.target)

    @cached_property
    def expected(self) -> CountLaw:
        """The law of the trial's count under the prior."""
        return CountLaw(counts_under(self.prior, self.plan.n))

    @cached_property
    def look(self) -> Interim | None:
        """The interim look, where one is planned."""
        plan = self.plan
        return interim(self.chosen, plan.look, plan.n, plan.futility) if plan.look else None

    @property
    def rates(self) -> list[float]:
        """True rates at which the rule is judged: the threshold among round ones."""
        return sorted({*map(float, _STEPS), self.plan.threshold})


def designed(evidence: Evidence, job: Job, plan: Plan) -> Design:
    """The design of a plan for who asked for it; survival is read at the horizon of the question.

    Raises
    ------
    UsageError
        When question, model and plan do not go together, no study answers, or there is no posterior to predict from.
    """
    kind = candidates(evidence, job.question).endpoint.kind
    # A constant hazard extrapolates what early landmarks say to any later time.
    model = model_for(kind, job.model or (_FALLING if kind == "survival" else None))
    if kind == "survival" and len(model.priors) < 3:
        raise UsageError(f"{model.name} has a constant hazard, which later survival does not follow; take {_FALLING}")
    case = case_of(evidence, replace(job, model=model.name))
    if not len(case.studies):
        raise NoStudies(no_study(case.question, (case.selection,)))
    if plan.look is not None and plan.look >= plan.n:
        raise UsageError(f"--look {plan.look} is not before the end of the trial, --n {plan.n}")
    try:
        prior = fitted(predictive_of(posterior_of(case), case.horizon))
    except NO_POSTERIOR as error:
        raise UsageError(str(error)) from None
    return Design(case, replace(plan, months=case.horizon), prior)


def predictive_of(posterior: Posterior, months: float | None) -> Predictive:
    """The predictive distribution of a new study; of survival that of the log cumulative hazard at `months`."""
    density = posterior.case.model.density

    def at_most(x: np.ndarray, values: Mapping[str, np.ndarray], weights: np.ndarray) -> np.ndarray:
        if months is None:
            return density.new_study_cdf(values, special.expit(x)[:, None]) @ weights
        # Survival is exp(-exp(x)) or less where the effect is at least that of this survival.
        return density.new_study_cdf(values, density.curve.effect_at(
            values, np.exp(-np.exp(x))[:, None], months)) @ weights

    rough = posterior.points
    x = np.linspace(*_ends(lambda x: at_most(x, *rough),
                           *((-WIDEST, WIDEST) if months is None else _FURTHEST_HAZARDS)), _CELLS - 1)
    points = posterior.dense_points
    parts = np.array_split(x, max(1, x.size * points[1].size // _MOST_AT_ONCE))
    below = np.concatenate([at_most(part, *points) for part in parts])
    mass = np.maximum(np.diff(below, prepend=0.0, append=1.0), 0.0)
    mass /= mass.sum()
    return Predictive("beta" if months is None else "normal", special.expit(x) if months is None else x, mass)


def _ends(at_most: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> tuple[float, float]:
    """Where a distribution begins and ends between two places; looked for anew where it lies within a few steps."""
    while True:
        rough = np.linspace(low, high, 2 * _CELLS)
        first, last = np.searchsorted(at_most(rough), (_TAIL, 1.0 - _TAIL))
        low, high = rough[np.clip(first - 1, 0, len(rough) - 2)], rough[np.clip(last, 1, len(rough) - 1)]
        if last - first >= _FEWEST_STEPS or high - low <= _NARROWEST:
            middle, half = (low + high) / 2.0, max(high - low, _NARROWEST) / 2.0
            return float(middle - half), float(middle + half)
