"""The rows of sensitivity.csv: every variant of an endpoint beside its headline, and whether a conclusion changes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from analysis.cases.case import Case, headline_case
from analysis.cases.settings import ALL, Job
from analysis.chapters.sensitivity import choices, priors
from analysis.chapters.sensitivity.choices import Variant
from analysis.evidence.types import Evidence
from analysis.inference.estimands import MAIN, Estimate
from analysis.inference.leave_one_out import only
from analysis.inference.posterior import NO_POSTERIOR, main_estimand, new_estimand, posterior_of, spread_estimand
from analysis.results.comparison import published_months, rule_for
from analysis.results.table import COMPUTED, NOT_COMPUTED, Column, Layout, Row, columns
from analysis.results.tables import limit_cells, priors_text
from models.studies import RateStudies, Studies

HEADLINE = "headline"


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
    """

    name: str
    label: str
    variants: Callable[[Evidence, Case], Iterable[Variant]]
    kind: str = ""


DIMENSIONS = (
    Dimension("prior", "Priors", priors.other_priors),
    Dimension("family", "Likelihood family", priors.other_families),
    Dimension("family_prior", "Priors of the other family", priors.other_family_priors),
    Dimension("tiers", "Evidence tiers", choices.other_tiers),
    Dimension("tier_row", "One row of a lower tier added", choices.single_rows),
    Dimension("study_set", "Set of studies", choices.other_sets),
    Dimension("timing", "Timing of the response", partial(choices.without_each, "timing"), "rate"),
    Dimension("grading", "Grading scale", partial(choices.without_each, "grading"), "rate"),
    Dimension("denominator", "Another denominator", choices.other_denominators, "rate"),
    Dimension("enrolled", "Patients enrolled as base", choices.enrolled, "rate"),
    Dimension("definition", "Definition of survival", choices.other_definitions, "survival"),
    Dimension("handling", "Transplants and non-responders", choices.other_handling, "survival"),
    Dimension("statistic", "Statistic of a curve", choices.other_statistics, "survival"),
    Dimension("early", "Early extrapolations", choices.without_early, "survival"),
    Dimension("factor", "Error where no interval is printed", choices.other_factors, "survival"),
)
"""In the order in which a reader meets them."""

LABELS = {HEADLINE: "Headline"} | {dimension.name: dimension.label for dimension in DIMENSIONS}

SENSITIVITY = Layout("sensitivity.csv", "One refit with one choice changed; the headline first.", columns(
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
    Column("published", "published estimates of the same quantity", "text"),
    Column("moves", "whether the median moves by more than half the width of the headline's interval", "flag"),
    Column("outside", "whether one median lies outside the other interval", "flag"),
    Column("crosses", "whether a published estimate lies in one of the two intervals only", "flag"),
    Column("changes", "whether any of these three holds", "flag"), "status",
    Column("reason", "why there is none, or what limits it", "text", "Conclusion"), "stamp"))


def variants(evidence: Evidence, case: Case) -> Iterator[tuple[str, Variant]]:
    """The headline, then every variant, each with the name of its dimension.

    One that equals the headline, or another one of its dimension, is left out.
    """
    headline = Variant(HEADLINE, case)
    yield HEADLINE, headline
    for dimension in DIMENSIONS:
        seen = {headline.content}
        for variant in dimension.variants(evidence, case) if dimension.kind in ("", case.model.kind) else ():
            if variant.content not in seen:
                seen.add(variant.content)
                yield dimension.name, variant


def sensitivity_rows(evidence: Evidence, base: Job, endpoint: str) -> dict[str, list[Row]]:
    """Rows of one endpoint, the headline first; none where no study has the endpoint.

    A change is in points (hundredths of a probability). A conclusion *changes* when one of three things happens:

    - moves: the median moves by more than half the width of the headline's interval;
    - outside: the variant's median lies outside the headline's interval, or the other way round;
    - crosses: a published estimate of the same quantity lies in one of the two intervals and not in the other.

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
    rows, headline = [], None
    for dimension, variant in variants(evidence, case):
        cells, main = _refit(case, variant)
        headline = main if dimension == HEADLINE else headline
        marks = _marks(main, headline, printed) if main else {}
        rows.append({**shared, "dimension": dimension, **cells, **marks})
    return {SENSITIVITY.file: rows}


def published(evidence: Evidence, endpoint: str, estimand: str, months: float | None) -> tuple[float, ...]:
    """Primary published estimates of the same estimand over all studies; of survival, at the same time."""
    rules = ((reported, rule_for(evidence, reported)) for reported in evidence.reported)
    return tuple(reported.estimate for reported, rule in rules
                 if rule and (rule.endpoint, rule.estimand) == (endpoint, estimand) and rule.transform != "complement"
                 and (reported.subset or ALL) == ALL and reported.primary
                 and (estimand != MAIN["survival"] or published_months(evidence, reported, rule) == months))


def _refit(headline: Case, variant: Variant) -> tuple[dict[str, Any], Estimate | None]:
    """The cells of a variant, and the estimate that it is compared by; None where there is none."""
    case, studies = variant.case, variant.case.studies
    cells = {"variant": variant.label, "model": case.model.name, "priors": priors_text(case.priors),
             "tiers": case.question.tiers, "study_set": case.question.study_set,
             "factor": variant.factor if case.model.kind == "survival" else None, "studies": ""}
    if variant.refused:
        return {**cells, "status": NOT_COMPUTED, "reason": variant.refused}, None
    cells |= {"k_studies": len(studies), "n_patients": studies.patients,
              "studies": " ".join(_differences(headline.studies, studies))}
    try:
        main, new, spread = posterior_of(case).estimates(
            (main_estimand(case), new_estimand(case), spread_estimand(case)))
    except NO_POSTERIOR as error:
        return {**cells, "status": NOT_COMPUTED, "reason": str(error)}, None
    return {**cells, "status": COMPUTED, "reason": "", **limit_cells(main), "level": main.level,
            **limit_cells(new, "new_"), "heterogeneity": spread.estimand, "heterogeneity_median": spread.median}, main


def _differences(old: Studies, new: Studies) -> Iterator[str]:
    """Studies that are new (+), have other numbers (=), or are gone (-)."""
    before, after = ({name: only(studies, at).content for at, name in enumerate(studies.study_ids)}
                     for studies in (old, new))
    counts = {name: f":{y}/{n}" for name, y, n in zip(new.study_ids, new.events, new.evaluable, strict=True)} \
        if isinstance(new, RateStudies) else {}
    yield from (f"+{name}{counts.get(name, '')}" for name in after if name not in before)
    yield from (f"={name}{counts.get(name, '')}" for name in after if before.get(name, after[name]) != after[name])
    yield from (f"-{name}" for name in before if name not in after)


def _marks(main: Estimate, headline: Estimate | None, printed: tuple[float, ...]) -> dict[str, Any]:
    """What departs from the headline; nothing where the headline could not be computed."""
    if headline is None:
        return {"reason": "the headline was not computed"}
    change = main.median - headline.median
    moves = 2.0 * abs(change) > headline.upper - headline.lower
    outside = not (_holds(headline, main.median) and _holds(main, headline.median))
    crosses = any(_holds(main, value) != _holds(headline, value) for value in printed)
    return {"change": 100.0 * change, "moves": moves, "outside": outside, "crosses": crosses,
            "changes": moves or outside or crosses}


def _holds(estimate: Estimate, value: float) -> bool:
    """Whether the interval of an estimate holds a value."""
    return estimate.lower <= value <= estimate.upper


def compared(rows: Iterable[Row], endpoint: str) -> list[Row]:
    """The rows of an endpoint, its headline first; none unless the headline and a variant are computed."""
    chosen = [row for row in rows if row["endpoint"] == endpoint]
    computed = [row for row in chosen if row["status"] == COMPUTED]
    return chosen if len(computed) > 1 and computed[0]["dimension"] == HEADLINE else []
