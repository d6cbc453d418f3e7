"""Every variant of an endpoint beside its headline, and how far prior and likelihood raised to a power move it.

The prior p(theta)^alpha or the likelihood p(y | theta)^alpha re-weights the points of the exact grid, so nothing is
refitted and nothing is sampled. The measure is the change of the posterior mean in posterior standard deviations per
doubling of alpha, from alpha = 0.8 and 1.25, not the cumulative Jensen-Shannon distance of the reference: it has a
sign and a unit. It is linear in log alpha only as far as the two steps show.

Scaling cannot see a flat prior (a uniform density to any power is uniform), nor what another family of priors would
do: that is what the refits are for.

References
----------
Kallioinen N, Paananen T, Buerkner PC, Vehtari A. Stat Comput 2024;34:57, doi 10.1007/s11222-023-10366-5.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.cases.case import Case, headline_case
from analysis.cases.settings import ALL, Job
from analysis.chapters.sensitivity import choices
from analysis.chapters.sensitivity.choices import Variant
from analysis.evidence.directory import Evidence
from analysis.inference.estimands import MAIN, Estimate
from analysis.inference.posterior import NO_POSTERIOR, main_estimand, new_estimand, posterior_of, spread_estimand
from analysis.inference.power_scaling import BOTH, power_scalings
from analysis.results.comparison import published_months, rule_for
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, Row, columns
from analysis.results.tables import case_cells, limit_cells, priors_text
from models.studies import RateStudies, Studies

if TYPE_CHECKING:
    import pandas as pd

HEADLINE, JOINT = "headline", "joint"
MONTHS = "median_months"
FAR_POINTS, FAR_MONTHS = 5.0, 2.0
"""How far a median may move, however wide the interval: where few studies report, half of it may be much more, and one
patient in twenty, or two months of median survival, must not pass as no change."""

ALPHAS = (0.8, 1.25)
"""Powers to which prior and likelihood are raised."""

MOST_DOUBTS = 12
"""Choices that leave out rows beyond which no two are made together: there would be too many to look at."""

RULES = {"moves": "the median moves by over half the headline's interval",
         "far": f"it moves by over {FAR_POINTS:g} percentage points",
         "far_months": f"median survival moves by over {FAR_MONTHS:g} months",
         "outside": "one median leaves the other interval",
         "crosses": "the published estimate passes in or out of the interval"}
"""What makes a conclusion change, any of them; by the column that says so."""


@dataclass(frozen=True)
class Dimension:
    """A kind of choice that is varied.

    Parameters
    ----------
    name, label : str
        In the table, and in words.
    variants : callable
        From the evidence and the headline's case.
    kind : str
        Of the endpoints that have the choice, rate or survival; empty for both.
    doubt : bool
        Whether it leaves out what may be doubted; each two of these choices are made together as well.
    """

    name: str
    label: str
    variants: Callable[[Evidence, Case], Iterable[Variant]]
    kind: str = ""
    doubt: bool = False


DIMENSIONS = (
    Dimension("prior", "Priors", choices.other_priors),
    Dimension("family", "Likelihood family", choices.other_families),
    Dimension("family_prior", "Priors of the other family", choices.other_family_priors),
    Dimension("tiers", "Evidence tiers", choices.other_tiers),
    Dimension("tier_row", "One row of a lower tier added", choices.single_rows),
    Dimension("study_set", "Set of studies", choices.other_sets),
    Dimension("timing", "Timing of the response", partial(choices.without_each, "timing"), "rate", True),
    Dimension("grading", "Grading scale", partial(choices.without_each, "grading"), "rate", True),
    Dimension("denominator", "Another denominator", choices.other_denominators, "rate"),
    Dimension("enrolled", "Patients enrolled as base", choices.enrolled, "rate"),
    Dimension("definition", "Definition of survival", choices.other_definitions, "survival", True),
    Dimension("handling", "Censoring and non-responders", choices.other_handling, "survival"),
    Dimension("statistic", "Statistic of a curve", choices.other_statistics, "survival"),
    Dimension("early", "Early extrapolations", choices.without_early, "survival", True),
    Dimension("repeated", "Numbers printed for two endpoints", choices.without_repeated, "survival", True),
    Dimension("factor", "Error where no interval is printed", choices.other_factors, "survival"),
)
"""In the order in which a reader meets them."""

LABELS = {HEADLINE: "Headline"} | {dimension.name: dimension.label for dimension in DIMENSIONS} \
    | {JOINT: "Two choices at once"}

SENSITIVITY = Layout("sensitivity.csv", "One refit with one choice changed, or two; the headline first.", columns(
    "endpoint", Column("dimension", "kind of choice that is changed", "text", "Choice"),
    Column("variant", "what is chosen instead", "text", "Variant"), "model",
    Column("priors", "priors of the refit", "text", "Priors"), "tiers study_set",
    Column("factor", "multiplies the standard error of survival without an interval"), "k_studies n_patients",
    Column("studies", "studies added (+), changed (=) or left out (-)", "text"),
    "estimand time_months median lower upper level",
    Column("new_median", "predictive median of a new study", "estimate", "New study{unit} [{level} prediction]"),
    Column("new_lower", "lower prediction limit"), Column("new_upper", "upper prediction limit"),
    Column("heterogeneity", "estimand that tells how much studies differ", "text"),
    Column("heterogeneity_median", "its posterior median"),
    Column("change", "median minus the headline's, in points (hundredths of a probability)", "points",
           "Change{points}"),
    Column("change_months", "median survival minus the headline's, in months", "signed", "Change of median, months"),
    Column("published", "published estimates of the same quantity", "text"),
    *(Column(mark, f"whether {words}", "flag") for mark, words in RULES.items()),
    Column("changes", "whether any of these holds", "flag"), "status",
    Column("reason", "why there is none, or what limits it", "text", "Conclusion"), "stamp"))
POWER_SCALING = Layout("power_scaling.csv", "A prior or the likelihood of one headline raised to a power.", columns(
    "endpoint model tiers study_set k_studies n_patients",
    Column("scaled", "what is raised to a power: likelihood, prior (all), or one parameter's prior", "text", "Scaled"),
    Column("prior", "the priors that are scaled", "text", "Density"),
    Column("flat", "whether they are constant over the posterior, so that scaling cannot move anything",
           "flag flat: scaling cannot see it", "Note"),
    "estimand time_months", Column("alpha_low", "the lower power"), Column("alpha_high", "the higher power"),
    Column("mean", "posterior mean; empty where it need not exist", "estimate", "Mean{unit}"),
    Column("sd", "posterior standard deviation; empty where it need not exist", "spread", "Posterior SD{points}"),
    Column("mean_low", "posterior mean at the lower power"),
    Column("mean_high", "posterior mean at the higher power"), "median",
    Column("median_low", "posterior median at the lower power"),
    Column("median_high", "posterior median at the higher power"),
    Column("shift", "change of the mean in posterior standard deviations for each doubling of the power",
           "turned", "Shift of the mean, SD per doubling"),
    "status reason stamp"))


def variants(evidence: Evidence, case: Case) -> Iterator[tuple[str, Variant]]:
    """The headline, then every variant, each with the name of its dimension; last two doubts at once.

    One that equals the headline, or another one of its dimension, is left out, and two that equal one.
    """
    headline, doubtful = Variant(HEADLINE, case), []
    yield HEADLINE, headline
    for dimension in DIMENSIONS:
        seen = {headline.content}
        for variant in dimension.variants(evidence, case) if dimension.kind in ("", case.model.kind) else ():
            if variant.content not in seen:
                seen.add(variant.content)
                doubtful += [(dimension.name, variant)] if dimension.doubt else []
                yield dimension.name, variant
    seen = {headline.content, *(variant.content for _, variant in doubtful)}
    for (name, first), (other_name, second) in combinations(doubtful if len(doubtful) <= MOST_DOUBTS else (), 2):
        both = choices.both(case, first, second) if name != other_name else None
        if both and both.content not in seen:
            seen.add(both.content)
            yield JOINT, both


def sensitivity_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[Row]]:
    """Rows of one endpoint, the headline first; none where no study has the endpoint.

    A change is in points (hundredths of a probability). A conclusion *changes* where one of `RULES` says so.

    Parameters
    ----------
    base : Job
        Carries tiers, set, horizon, priors and level; its endpoint and subset are replaced.
    """
    case = headline_case(evidence, base, endpoint)
    if not len(case.studies):
        return {}
    printed = published(evidence, endpoint, main_estimand(case), case.horizon)
    shared = {"endpoint": endpoint, "estimand": main_estimand(case), "time_months": case.horizon,
              "published": " ".join(f"{value:g}" for value in printed)}
    rows, headline = [], []
    for dimension, variant in variants(evidence, case):
        cells, estimates = _refit(case, variant)
        estimates = estimates[:1] if evidence.counts_person_time(endpoint) else estimates  # which tell no median
        headline = estimates if dimension == HEADLINE else headline
        marks = _marks(estimates, headline, printed) if estimates else {}
        rows.append({**shared, "dimension": dimension, **cells, **marks})
    return {SENSITIVITY.file: rows}


def published(evidence: Evidence, endpoint: str, estimand: str, months: float | None) -> tuple[float, ...]:
    """Primary published estimates of the same estimand over all studies; of survival, at the same time."""
    rules = ((reported, rule_for(evidence, reported)) for reported in evidence.reported)
    return tuple(reported.estimate for reported, rule in rules
                 if rule and (rule.endpoint, rule.estimand) == (endpoint, estimand) and rule.transform != "complement"
                 and (reported.subset or ALL) == ALL and reported.primary
                 and (estimand != MAIN["survival"] or published_months(evidence, reported, rule) == months))


def _refit(headline: Case, variant: Variant) -> tuple[dict[str, Any], list[Estimate]]:
    """The cells of a variant, and what it is compared by: the main estimate, of survival the median time as well."""
    case, studies = variant.case, variant.case.studies
    cells = {"variant": variant.label, "model": case.model.name, "priors": priors_text(case.priors),
             "tiers": case.question.tiers, "study_set": case.question.study_set,
             "factor": variant.factor if case.model.kind == "survival" else None, "studies": ""}
    if variant.refused:
        return {**cells, "status": NOT_COMPUTED, "reason": variant.refused}, []
    cells |= {"k_studies": len(studies), "n_patients": studies.patients,
              "studies": " ".join(_differences(headline.studies, studies))}
    try:
        main, new, spread, *months = posterior_of(case).estimates(
            (main_estimand(case), new_estimand(case), spread_estimand(case),
             *([MONTHS] if case.model.kind == "survival" else [])))
    except NO_POSTERIOR as error:
        return {**cells, "status": NOT_COMPUTED, "reason": str(error)}, []
    cells |= {"status": COMPUTED, "reason": "", **limit_cells(main), "level": main.level, **limit_cells(new, "new_"),
              "heterogeneity": spread.estimand, "heterogeneity_median": spread.median}
    return cells, [main, *months]


def _differences(old: Studies, new: Studies) -> Iterator[str]:
    """Studies that are new (+), have other numbers (=), or are gone (-)."""
    before, after = ({name: studies.take([at]).content for at, name in enumerate(studies.study_ids)}
                     for studies in (old, new))
    counts = {name: f":{y}/{n}" for name, y, n in zip(new.study_ids, new.events, new.evaluable, strict=True)} \
        if isinstance(new, RateStudies) else {}
    yield from (f"+{name}{counts.get(name, '')}" for name in after if name not in before)
    yield from (f"={name}{counts.get(name, '')}" for name in after if before.get(name, after[name]) != after[name])
    yield from (f"-{name}" for name in before if name not in after)


def _marks(estimates: Sequence[Estimate], headline: Sequence[Estimate],
           printed: tuple[float, ...]) -> dict[str, Any]:
    """What departs from the headline; nothing where the headline could not be computed.

    A rule that cannot be asked, of months or of a published estimate, has no mark.
    """
    if not headline:
        return {"reason": "the headline was not computed"}
    (main, first), *months = zip(estimates, headline, strict=True)
    change = 100.0 * (main.median - first.median)
    later = months[0][0].median - months[0][1].median if months else None
    marks = {"moves": abs(change) > 50.0 * (first.upper - first.lower), "far": abs(change) > FAR_POINTS,
             "far_months": abs(later) > FAR_MONTHS if months else None,
             "outside": not (_holds(first, main.median) and _holds(main, first.median)),
             "crosses": any(_holds(main, value) != _holds(first, value) for value in printed) if printed else None}
    return {"change": change, "change_months": later, **marks, "changes": any(marks.values())}


def _holds(estimate: Estimate, value: float) -> bool:
    """Whether the interval of an estimate holds a value."""
    return estimate.lower <= value <= estimate.upper


def rules_of(frame: "pd.DataFrame") -> str:
    """The rules that can be asked of some of these rows, in words."""
    return ", or ".join(words for mark, words in RULES.items() if frame[mark].notna().any())


def compared(rows: Iterable[Row], endpoint: str) -> list[Row]:
    """The rows of an endpoint, its headline first; none unless the headline and a variant are computed."""
    chosen = [row for row in rows if row["endpoint"] == endpoint]
    computed = [row for row in chosen if row["status"] == COMPUTED]
    return chosen if len(computed) > 1 and computed[0]["dimension"] == HEADLINE else []


def power_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[Row]]:
    """Rows of one endpoint's headline: the likelihood, both priors together, and each prior; none without studies."""
    case = headline_case(evidence, base, endpoint)
    if not len(case.studies):
        return {}
    shared = {**case_cells(case, POWER_SCALING), "alpha_low": ALPHAS[0], "alpha_high": ALPHAS[1]}
    try:
        posterior = posterior_of(case)
    except NO_POSTERIOR as error:
        return {POWER_SCALING.file: [{**shared, "scaled": BOTH, "status": NOT_COMPUTED, "reason": str(error)}]}
    rows = []
    for scaled in power_scalings(posterior, main_estimand(case), (ALPHAS[0], 1.0, ALPHAS[1])):
        low, middle, high = scaled.laws
        rows.append({
            **shared, "status": COMPUTED, "reason": "", "scaled": scaled.name, "prior": priors_text(scaled.priors),
            "flat": scaled.flat, "mean": middle.mean, "sd": middle.sd, "mean_low": low.mean, "mean_high": high.mean,
            "median": float(middle.quantile(0.5)), "median_low": float(low.quantile(0.5)),
            "median_high": float(high.quantile(0.5)),
            "shift": (high.mean - low.mean) / middle.sd / float(np.log2(ALPHAS[1] / ALPHAS[0]))})
    return {POWER_SCALING.file: rows}
