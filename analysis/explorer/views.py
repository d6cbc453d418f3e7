"""What the page shows of a job, as markup: computed here, in whatever thread, and laid out by the templates."""

import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.cases.case import Case, NoStudies, case_of, no_study
from analysis.cases.settings import ALL, Job
from analysis.drawing.axis import labels_for, limits_for, ticks_for
from analysis.drawing.html import Html, rendered, show, table
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Reported
from analysis.explorer.state import Form, command, number_in, plan_asked, report_asked
from analysis.inference.estimands import LABELS, OF_A_STUDY, Estimate
from analysis.inference.fitting import study_estimates
from analysis.inference.posterior import (
    MEDIAN,
    QuadratureFailed,
    distributions,
    exceeding,
    main_estimand,
    new_estimand,
    posterior_of,
    spread_estimand,
)
from analysis.results.comparison import published_months, rule_for
from analysis.results.numbers import (
    Scale,
    chance,
    counted,
    interval_text,
    level_text,
    number,
    printed_with_interval,
    scale_of,
    with_interval,
    with_unit,
)
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.results.tables import study_rows
from analysis.system.errors import UsageError
from models import models_of

_RATE = "proportion"
_MOST_DRAWN = 120
_DEFECT = "This is an error of the program, not of its input; the terminal shows it."


class Refused(str):
    """Why there is no answer, in words."""


def or_why[Answer](work: Callable[..., Answer]) -> Callable[..., Answer | Refused]:
    """The work, which returns the reason in words where there is no answer; a page outlives every question."""
    def attempted(*asked: Any) -> Answer | Refused:
        try:
            return work(*asked)
        except (UsageError, QuadratureFailed) as error:
            return Refused(error)
        except Exception:
            traceback.print_exc()
            return Refused(_DEFECT)

    return attempted


def refusal(why: str) -> Html:
    """A reason as the page shows it."""
    return rendered("explorer/refusal.html", why=why)


@dataclass(frozen=True, eq=False)
class View:
    """The numbers of a job that follow every change.

    Parameters
    ----------
    data : str
        How --data names the evidence.
    pooled : tuple of Estimate
        The mean over studies (of survival the typical study), a new study, and how much studies differ.
    shrunken : mapping of str to Estimate
        By study; of other models than the headline empty at first, since theirs take longer (see `result`).
    studies : list of rows
        As in studies.csv.
    published : Reported or None
        The published number of the same quantity, whatever studies it rests on.
    """

    evidence: Evidence
    job: Job
    data: str
    case: Case
    pooled: tuple[Estimate, ...]
    shrunken: dict[str, Estimate]
    studies: list[Row]
    published: Reported | None
    scale: Scale


def view_of(evidence: Evidence, job: Job, data: str) -> View:
    """What a job gives, by quadrature.

    Raises
    ------
    UsageError
        When no study answers, studies share patients, or a prior is none.
    QuadratureFailed
        When the sums do not settle.
    """
    case = case_of(evidence, job)
    if not len(case.studies):
        raise NoStudies(no_study(case.question, (case.selection,)))
    posterior = posterior_of(case)
    pooled = posterior.estimates((main_estimand(case), new_estimand(case), spread_estimand(case)))
    quick = case.model is models_of(case.model.kind)[0]
    shrunken = {estimate.study_id: estimate for estimate in (study_estimates(posterior) if quick else ())}
    return View(evidence, job, data, case, pooled, shrunken, study_rows(evidence, case), _published(evidence, case),
                scale_of(pooled[0].median))


def _published(evidence: Evidence, case: Case) -> Reported | None:
    asked = case.question.endpoint, case.question.subset, main_estimand(case)
    for reported in evidence.reported:
        rule = rule_for(evidence, reported)
        if (rule and not rule.reason and reported.primary and rule.transform != "complement"
                and (rule.endpoint, reported.subset or ALL, rule.estimand) == asked
                and (case.horizon is None or published_months(evidence, reported, rule) == case.horizon)):
            return reported
    return None


def result(view: View, fitted: Results | None = None) -> Html:
    """The headline, the forest and the command line that repeats them; no fit of something else."""
    is_same = fitted and fitted.evidence is view.evidence and fitted.base == view.job
    record = fitted.records[0] if is_same else None
    rows = record.estimates if record else ()
    late = {row["study_id"]: Estimate(**{name: row[name] for name in Estimate.__dataclass_fields__})
            for row in rows if row["estimand"] in OF_A_STUDY}
    view = replace(view, shrunken=view.shrunken or late)
    case, horizon = view.case, view.case.horizon
    drawn = sorted(view.studies, key=lambda row: -row["n"])[:_MOST_DRAWN]
    lines = [*_study_lines(view, drawn), *_pooled_lines(view)]
    low, high = limits_for([value for line in lines for mark in line.marks for value in mark.at], whole=False)
    ticks = ticks_for(low, high, most=5)
    return rendered(
        "explorer/result.html", view=view, case=case, lines=lines, hidden=len(view.studies) - len(drawn),
        at=lambda value: f"{min(max(100.0 * (value - low) / (high - low), 0.0), 100.0):.2f}",
        ticks=list(zip(ticks, labels_for(ticks, view.scale), strict=True)), horizon=horizon,
        endpoint=case.selection.endpoint, warnings=case.selection.warnings,
        conflicts=record.conflicts if record else (), command=command(view.job, view.data),
        level=level_text(case.level), spread=interval_text(*_limits(view.pooled[2]), view.pooled[2].unit))


def _limits(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.median, estimate.lower, estimate.upper


@dataclass(frozen=True)
class _Mark:
    """An estimate with its limits, None where there are none; `size` is of a square, pixels."""

    kind: str
    at: Sequence[float | None]
    text: str
    size: float = 0.0


@dataclass(frozen=True)
class _Line:
    """One row of the forest; `told` is its number in the headline."""

    kind: str
    label: str
    detail: str
    marks: tuple[_Mark, ...]
    interval: str = ""
    told: str = ""
    tier: str = ""
    later: bool = False


def _study_lines(view: View, drawn: list[Row]) -> Iterator[_Line]:
    largest = max((row["n"] for row in drawn), default=1)
    for row in sorted(drawn, key=lambda row: (-row["raw"], str(row["label"]))):
        marks = [_Mark("raw", [row["raw"], row["raw_lower"], row["raw_upper"]],
                       with_interval(row, _RATE, view.scale, at="raw"), 4.0 + 8.0 * (row["n"] / largest) ** 0.5)]
        if shrunken := view.shrunken.get(row["study_id"]):
            limits = _limits(shrunken)
            marks.append(_Mark("shrunken", limits, interval_text(*limits, _RATE, view.scale)))
        told = row["statistic"] if row.get("events") is not None else f"n = {row['n']}, {row['statistic']}"
        yield _Line("study", row["label"], told, tuple(marks), tier=row["tier"],
                    later=view.evidence.study(row["study_id"]).in_review is False)


def _pooled_lines(view: View) -> Iterator[_Line]:
    """What stands below the studies, and in the headline."""
    case, scale, (main, new, _) = view.case, view.scale, view.pooled
    base = f"{counted(len(case.studies), 'study')}, {counted(case.studies.patients, 'patient')}"
    for kind, estimate, detail in (("pooled", main, base), ("new", new, "")):
        text = interval_text(*_limits(estimate), _RATE, scale)
        yield _Line(kind, LABELS[estimate.estimand], detail, (_Mark(kind, _limits(estimate), text),),
                    estimate.interval, with_unit(text, _RATE, scale))
    if published := view.published:
        limits = (published.estimate, published.ci_low, published.ci_high)
        text = printed_with_interval(*limits, "probability", scale)
        yield _Line("published", "Published", counted(published.k_studies, "study") if published.k_studies else "",
                    (_Mark("published", limits, text),), "confidence", with_unit(text, _RATE, scale))


def trial(view: View, form: Form) -> Html:
    """Whether a new trial's result is expected, and what it would move; nothing where none is given."""
    if not form:
        return Html("")
    from analysis.inference.further import answered
    from analysis.results.predicted import predicted_rows, sentences

    row, options = report_asked(view.case.selection.endpoint, form)
    answer = answered(view.case, row)
    scale = scale_of(answer.before[0].median)
    rows = [[LABELS.get(before.estimand, before.estimand), *(
        with_unit(interval_text(*_limits(estimate), estimate.unit, scale), estimate.unit, scale)
        for estimate in (before, after))]
        for before, after in zip(answer.before, answer.after, strict=True)]
    counts = list(predicted_rows(answer))
    return rendered("explorer/trial.html", sentences=sentences(answer), counts=counts,
                    highest=max(row["probability"] for row in counts),
                    moved=table("What it would move", ["Estimand", "Without it", "With it"], rows, numeric=(1, 2)),
                    command=command(view.job, view.data, "predict", options))


def exceedance(view: View, form: Form) -> Html:
    """How probable values above a threshold are, and above each benchmark of the evidence."""
    case, kind = view.case, view.case.model.kind
    typed = form.get("threshold", [""])[0].strip()
    rows = [("Your threshold", kind, None, number_in(form, "threshold", 0.0, 1.0))] if typed else []
    rows += [(mark.label, mark.estimand, mark.time_months, mark.low) if mark.high is None else
             (f"{mark.label} (upper end)", mark.estimand, mark.time_months, mark.high)
             for mark in view.evidence.benchmarks if mark.endpoint == view.job.question.endpoint]
    posteriors = {(estimand, months): distributions(case, estimand, months) for _, estimand, months, _ in rows}
    cells = []
    for label, estimand, months, value in rows:
        above, unit = exceeding(*posteriors[estimand, months], value), "months" if estimand == MEDIAN else _RATE
        what = {"rate": "", MEDIAN: "median"}.get(estimand, f"survival at {months or case.selection.horizon:g} months")
        cells.append([label, what, with_unit(number(value, unit, view.scale), unit, view.scale),
                      *(chance(above[name]) for name in ("pooled", "new_study"))])
    constant = kind == "survival" and case.model.density.curve.constant_hazard
    return rendered("explorer/exceedance.html", constant=constant, cells=table(
        "Probability of a larger value", ["Value of", "Quantity", "Value", "P(pooled above)", "P(new study above)"],
        cells, numeric=(2, 3, 4)))


def design(evidence: Evidence, job: Job, data: str, form: Form) -> Html:
    """The next trial, planned from the studies of the job; nothing where none is given."""
    if not form:
        return Html("")
    from analysis.planning.plans import designed
    from analysis.results.design import OPERATING, in_pymc, in_r, sentences, shown_columns, told_rows
    from analysis.results.writing import Writer

    plan, options = plan_asked(form)
    trial = designed(evidence, job, plan)
    return rendered("explorer/design.html", sentences=sentences(trial), r=in_r(trial.prior), pymc=in_pymc(trial.prior),
                    command=command(job, data, "design", options), rates=show(
                        Writer(OPERATING), told_rows(trial), " ".join(shown_columns(trial)),
                        caption="How often the trial succeeds at each true value"))
