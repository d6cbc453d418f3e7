"""The rows of sensitivity.csv: every variant of an endpoint beside its headline, and whether a conclusion changes."""

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.cases.selection import ALL
from analysis.cases.settings import Job
from analysis.chapters.sensitivity.catalogue import variants
from analysis.chapters.sensitivity.fits import Summary, summarise
from analysis.chapters.sensitivity.names import COMPUTED, HEADLINE, NOT_COMPUTED
from analysis.chapters.sensitivity.variants import Headline, Variant, headline_of
from analysis.evidence import Evidence
from analysis.inference.estimands import MAIN
from analysis.inference.grid import QuadratureFailed
from analysis.inference.posterior import main_estimand
from analysis.results.columns import columns
from analysis.results.comparison import published_months, rule_for
from analysis.results.table import Column, Layout
from models.model import NeedsDensity
from models.studies import RateStudies

SENSITIVITY = Layout("sensitivity.csv", "One refit with one choice changed; the headline first.", columns(
    "endpoint", Column("dimension", "kind of choice that is changed", "text"),
    Column("variant", "what is chosen instead", "text"), "model", Column("priors", "priors of the refit", "text"),
    "tiers study_set", Column("factor", "multiplies the standard error of survival without an interval"),
    "k_studies n_patients", Column("studies", "studies added (+), changed (=) or left out (-)", "text"),
    "estimand time_months median lower upper level", Column("new_median", "predictive median of a new study"),
    Column("new_lower", "lower prediction limit"), Column("new_upper", "upper prediction limit"),
    Column("heterogeneity", "estimand that tells how much studies differ", "text"),
    Column("heterogeneity_median", "its posterior median"),
    Column("change", "median minus the headline's, in points (hundredths of a probability)"),
    Column("published", "published estimates of the same quantity", "text"),
    Column("moves", "whether the median moves by more than half the width of the headline's interval", "flag"),
    Column("outside", "whether one median lies outside the other interval", "flag"),
    Column("crosses", "whether a published estimate lies in one of the two intervals only", "flag"),
    Column("changes", "whether any of these three holds", "flag"), "status reason stamp"))

Row = Mapping[str, Any]


def sensitivity_rows(evidence: Evidence, base_job: Job, endpoint: str) -> dict[str, list[Row]]:
    """Rows of one endpoint, the headline first; none where no study has the endpoint.

    A change is in points (hundredths of a probability). A conclusion *changes* when one of three things happens:

    - moves: the median moves by more than half the width of the headline's interval;
    - outside: the variant's median lies outside the headline's interval, or the other way round;
    - crosses: a published estimate of the same quantity lies in one of the two intervals and not in the other.

    Parameters
    ----------
    base_job : Job
        Carries tiers, set, horizon, priors and level; its endpoint, subset and model are replaced.
    """
    headline = headline_of(evidence, base_job, endpoint)
    if headline is None:
        return {}
    horizon = headline.selection.horizon
    printed = published(evidence, endpoint, MAIN[headline.endpoint.kind], horizon)
    found, first = [], None
    for variant in variants(headline):
        cells = _cells(headline, variant, printed)
        if variant.refused:
            unknown = {"k_studies": None, "n_patients": None, "studies": ""}
            found.append({**cells, **unknown, "status": NOT_COMPUTED, "reason": variant.refused})
            continue
        try:
            summary = summarise(variant.case)
        except (QuadratureFailed, NeedsDensity) as error:
            found.append({**cells, "status": NOT_COMPUTED, "reason": str(error)})
        else:
            first = summary if variant.dimension == HEADLINE else first
            found.append({**cells, **_numbers(summary), **_marks(summary, first, printed)})
    return {SENSITIVITY.file: found}


def published(evidence: Evidence, endpoint: str, estimand: str, horizon: float) -> tuple[float, ...]:
    """Primary published estimates of the same estimand over all studies; of survival, at the same time."""
    found = []
    for reported in evidence.reported:
        rule = rule_for(evidence, reported)
        if (rule and rule.endpoint == endpoint and rule.estimand == estimand and rule.transform != "complement"
                and (reported.subset or ALL) == ALL and reported.primary
                and (estimand != MAIN["survival"] or published_months(evidence, reported, rule) == horizon)):
            found.append(reported.estimate)
    return tuple(found)


def _cells(headline: Headline, variant: Variant, printed: tuple[float, ...]) -> dict[str, Any]:
    case = variant.case
    return {"endpoint": case.question.endpoint, "dimension": variant.dimension,
            "variant": variant.label, "model": case.model.name,
            "priors": "; ".join(f"{name} ~ {prior}" for name, prior in case.priors.items()),
            "tiers": case.question.tiers, "study_set": case.question.study_set, "factor": variant.factor,
            "k_studies": len(case.studies), "n_patients": case.studies.patients,
            "studies": " ".join(differences(headline.itself(), variant)), "estimand": main_estimand(case),
            "time_months": case.horizon, "published": " ".join(f"{value:g}" for value in printed), "status": COMPUTED,
            "reason": ""}


def differences(headline: Variant, variant: Variant) -> Iterator[str]:
    """Studies of the variant that the headline lacks (+), has with other counts (=), or has alone (-)."""
    old, new = _contents(headline), _contents(variant)
    yield from (f"+{name}{_count(variant, name)}" for name in new if name not in old)
    yield from (f"={name}{_count(variant, name)}" for name in new if name in old and new[name] != old[name])
    yield from (f"-{name}" for name in old if name not in new)


def _contents(variant: Variant) -> dict[str, tuple[float, ...]]:
    studies = variant.case.studies
    columns = [getattr(studies, name) for name in studies.__dataclass_fields__ if name != "study_ids"]
    return {name: tuple(repr(float(column[at])) for column in columns) for at, name in enumerate(studies.study_ids)}


def _count(variant: Variant, name: str) -> str:
    studies = variant.case.studies
    at = studies.study_ids.index(name)
    return f":{studies.events[at]}/{studies.evaluable[at]}" if isinstance(studies, RateStudies) else ""


def _numbers(summary: Summary) -> dict[str, Any]:
    main, new = summary.main, summary.new
    return {"median": main.median, "lower": main.lower, "upper": main.upper, "level": main.level,
            "new_median": new.median, "new_lower": new.lower, "new_upper": new.upper,
            "heterogeneity": summary.spread.estimand, "heterogeneity_median": summary.spread.median}


def _marks(summary: Summary, headline: Summary | None, printed: tuple[float, ...]) -> dict[str, Any]:
    """What departs from the headline; nothing where the headline could not be computed."""
    if headline is None:
        return {"reason": "the headline was not computed"}
    own, first = summary.main, headline.main
    change = own.median - first.median
    moves = 2.0 * abs(change) > first.upper - first.lower
    outside = not (first.lower <= own.median <= first.upper and own.lower <= first.median <= own.upper)
    crosses = any((own.lower <= value <= own.upper) != (first.lower <= value <= first.upper) for value in printed)
    return {"change": 100.0 * change, "moves": moves, "outside": outside, "crosses": crosses,
            "changes": moves or outside or crosses}
