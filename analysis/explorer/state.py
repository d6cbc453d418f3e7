"""What is chosen on the page: a form becomes the job of a fit, and a job the command line that repeats it.

A form is a mapping from names of fields to lists of texts, as a browser sends it; whatever it holds that the evidence
does not know falls back to the default, so that nothing has to be trusted.
"""

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from analysis.cases.alternatives import ALTERNATIVES
from analysis.cases.case import model_for
from analysis.cases.reports import new_report
from analysis.cases.selection import SETS, Selection, candidates, horizon_of, subset_names
from analysis.cases.settings import EXACT, Job, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.types import Endpoint, Response, Survival
from analysis.planning.settings import ANALYSES, MOST_PATIENTS, Plan
from analysis.system.errors import UsageError
from models import models_of
from models.model import Model
from models.priors import Prior
from models.studies import CurveStudies

Form = Mapping[str, Sequence[str]]
MOST_LISTED = 200
"""Studies that can be ticked; of more the others always count."""
_MONTHS = (0.1, 1200.0)


@dataclass(frozen=True)
class Listed:
    """A study with a row of the endpoint; `reason` says why it does not count whether ticked or not."""

    study_id: str
    label: str
    tier: str
    later: bool
    reason: str


def first_job(evidence: Evidence) -> Job:
    """The headline of the first endpoint that a study answers."""
    names = [endpoint.endpoint for endpoint in evidence.endpoints]
    answered = (name for name in names if candidates(evidence, Question(name)).rows)
    return asked(evidence, {"endpoint": [next(answered, names[0])]})


def asked(evidence: Evidence, form: Form) -> Job:
    """The job that a form asks for."""
    name = _chosen(form, "endpoint", [endpoint.endpoint for endpoint in evidence.endpoints])
    kind = evidence.endpoint(name).kind
    model = model_for(kind, _chosen(form, "model", [model.name for model in models_on_offer(kind)]))
    tiers = "".join(tier for tier in "ABC" if tier in form.get("tier", ())) if "tiered" in form else Question.tiers
    question = Question(name, _chosen(form, "subset", subset_names(evidence)), tiers, _chosen(form, "set", SETS),
                        retrospective="retrospective" in form, horizon=_horizon(evidence.endpoint(name), form))
    unticked = {*form.get("listed", ())} - {*form.get("study", ())}
    counted = {study.study_id for study in studies_on_offer(evidence, question, model) if not study.reason}
    question = replace(question, without=tuple(sorted(unticked & counted)))
    return Job(question, model.name, _replaced(model, form), engine=EXACT)


def models_on_offer(kind: str) -> list[Model]:
    """The models of a kind that can be integrated, the headline first."""
    return [model for model in models_of(kind) if model.marginal]


def priors_on_offer(model: Model) -> dict[str, list[Prior]]:
    """By parameter: the model's own prior and those that the sensitivity analysis puts in its place."""
    table = ALTERNATIVES.get(model.name, {})
    return {name: list(dict.fromkeys((prior, *(table[name].alone if name in table else ()))))
            for name, prior in model.priors.items()}


def studies_on_offer(evidence: Evidence, question: Question, model: Model) -> list[Listed]:
    """The studies with a row of the endpoint, by tier and label."""
    wide = Question(question.endpoint, tiers="ABC", study_set="all", retrospective=True, horizon=question.horizon)
    every, now = candidates(evidence, wide), candidates(evidence, replace(question, without=()))
    counted, reasons = _tiers(now, model), {item.study_id: item.reason for item in reversed(now.left_out)}
    tiers = {**_tiers(every, model), **counted}
    studies = [(tier, evidence.study(study_id)) for study_id, tier in tiers.items()]
    return [Listed(study.study_id, study.label, tier, study.in_review is False,
                   "" if study.study_id in counted else reasons.get(study.study_id, "no row that this model takes"))
            for tier, study in sorted(studies, key=lambda pair: (pair[0], pair[1].label))][:MOST_LISTED]


def _tiers(selection: Selection, model: Model) -> dict[str, str]:
    """The tier of each study that the model takes."""
    rows = selection.curves if model.takes is CurveStudies else selection.rows
    return {row.study_id: row.tier for row in reversed(rows)}


def _chosen(form: Form, name: str, offered: Sequence[str]) -> str:
    """What a form says, or the first of what is offered."""
    given = (form.get(name) or [""])[0]
    return given if given in offered else offered[0]


def _horizon(endpoint: Endpoint, form: Form) -> float | None:
    """Months that are asked for; None for those that hold anyway."""
    if endpoint.kind == "rate" or not _given(form, "horizon"):
        return None
    months = number_in(form, "horizon", *_MONTHS)
    return None if months == horizon_of(endpoint, Question(endpoint.endpoint)) else months


def _replaced(model: Model, form: Form) -> tuple[tuple[str, str], ...]:
    """The priors that are not the model's own; whether they are priors is for the model to say."""
    given = ((name, prior, _given(form, f"{model.name}.{name}")) for name, prior in model.priors.items())
    return tuple((name, text) for name, prior, text in given if text not in ("", str(prior), prior.exact()))


def _given(form: Form, name: str) -> str:
    return (form.get(name) or [""])[0].strip()


def number_in(form: Form, name: str, low: float, high: float, *, whole: bool = False) -> float | int:
    """The number in a field.

    Raises
    ------
    UsageError
        When it is none, or out of its range.
    """
    text = _given(form, name)
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise UsageError(f"{name}: {text or 'nothing'} is no {'whole ' if whole else ''}number between {low:g} and "
                         f"{high:g}")
    return value


def report_asked(endpoint: Endpoint, form: Form) -> tuple[Response | Survival, dict[str, Any]]:
    """A new trial's result as a row of evidence, and the options of `predict` that say the same.

    Raises
    ------
    UsageError
        When the form does not hold one.
    """
    given = {"n": number_in(form, "n", 1, 5000, whole=True)}
    if endpoint.kind == "rate":
        given["events"] = number_in(form, "events", 0, 10_000_000, whole=True)
    elif _chosen(form, "statistic", ("median", "landmark")) == "median":
        given["median"] = number_in(form, "months", 0.016, 1200.0)
    else:
        given |= {"landmark": number_in(form, "months", 0.016, 1200.0),
                  "survival": number_in(form, "survival", 0.0, 1.0)}
    return new_report(endpoint.endpoint, endpoint.kind, **given), given


def plan_asked(form: Form) -> tuple[Plan, dict[str, Any]]:
    """A planned trial, and the options of `design` that say the same.

    Raises
    ------
    UsageError
        When the form does not hold one.
    """
    given = {"n": number_in(form, "n", 2, MOST_PATIENTS, whole=True),
             "threshold": number_in(form, "threshold", 0.001, 0.999),
             "confidence": number_in(form, "confidence", 0.5, 0.9999),
             "analysis": _chosen(form, "analysis", ANALYSES)}
    if _given(form, "look"):
        given["look"] = number_in(form, "look", 1, MOST_PATIENTS - 1, whole=True)
    return Plan(**given), given


def command(job: Job, data: str, name: str = "fit", options: Mapping[str, Any] | None = None) -> str:
    """The command line that repeats what the page shows, quoted for a shell.

    Parameters
    ----------
    data : str
        As --data takes it; empty for the evidence that comes with the program.
    options : mapping
        Further options, such as those of `predict`.
    """
    question = job.question
    words = ["recart", name, question.endpoint, *(["--data", data] if data else []), "--model", job.model]
    words += ["--engine", EXACT] if name == "fit" else []
    chosen = [("subset", question.subset, Question.subset), ("tiers", question.tiers, Question.tiers),
              ("set", question.study_set, Question.study_set), ("horizon", question.horizon, None)]
    for flag, value in [*(options or {}).items(), *((flag, value) for flag, value, usual in chosen if value != usual)]:
        words += [f"--{flag}", f"{value}".removesuffix(".0")]
    words += [word for study in question.without for word in ("--without", study)]
    words += ["--retrospective"] if question.retrospective else []
    words += [word for pair in job.priors for word in ("--prior", "=".join(pair))]
    return shlex.join(words)
