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
from analysis.results.comparison import published_months, rule_for
from models.studies import RateStudies

FILE = "sensitivity.csv"
SENSITIVITY_COLUMNS = (
    "endpoint", "dimension", "variant", "model", "priors", "tiers", "study_set", "factor", "k_studies", "n_patients",
    "studies", "estimand", "time_months", "median", "lower", "upper", "level", "new_median", "new_lower", "new_upper",
    "heterogeneity", "heterogeneity_median", "change", "published", "moves", "outside", "crosses", "changes", "status",
    "reason", "stamp")

Row = Mapping[str, Any]


def sensitivity_rows(evidence: Evidence, base_job: Job, endpoint: str) -> tuple[Row, ...]:
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
        return ()
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
        except QuadratureFailed as error:
            found.append({**cells, "status": NOT_COMPUTED, "reason": str(error)})
        else:
            first = summary if variant.dimension == HEADLINE else first
            found.append({**cells, **_numbers(summary), **_marks(summary, first, printed)})
    return tuple(found)


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
    return {**dict.fromkeys(SENSITIVITY_COLUMNS), "endpoint": case.question.endpoint, "dimension": variant.dimension,
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
