"""The analyses beside the fits: other methods on the same evidence, model comparison, and where differences come from.

Each is a function of plain values that returns rows, so that two processes can share them; what needs the result of
another one is computed when all are there.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from analysis.cases.selection import ALL, select
from analysis.cases.settings import Job
from analysis.chapters.differences import decomposition
from analysis.chapters.methods import rows as frequentist
from analysis.chapters.missing import bounds, totals
from analysis.chapters.missing.rows import cells, missing_rows
from analysis.chapters.models import comparison
from analysis.chapters.models.comparison import elpd_difference, judge, uniformity
from analysis.chapters.published import interval_shape
from analysis.evidence import Endpoint, Evidence
from analysis.inference.fitting import priors_of, typed_studies
from analysis.inference.headline import MOST_STUDIES
from analysis.results.records import Record
from analysis.results.results import Results
from analysis.runs.workers import share_out
from analysis.system.failures import Failure, attempt, without_failures
from models import all_models, models_of

Row = Mapping[str, Any]
Table = tuple[tuple[str, ...], tuple[Row, ...]]
"""Columns and rows of one file."""
Task = tuple[str, Callable[..., Any], tuple[Any, ...]]
"""Endpoint, function and arguments."""

MODEL_COLUMNS = ("endpoint", "subset", "tiers", "study_set", "which_priors", "model", "priors", "prior_spread",
                 "log_evidence", "weight", "elpd_loo", "elpd_loo_se", "elpd_difference", "elpd_difference_se",
                 "pit_uniform_p", "stamp")
LEFT_OUT_COLUMNS = ("endpoint", "subset", "tiers", "study_set", "which_priors", "model", "study_id", "label",
                    "elpd_loo", "pit", "two_sided", "stamp")
_FEWEST_STUDIES, _MOST_PATIENTS = 3, 20_000
"""With fewer studies nothing can be judged; more of them, or larger ones, would take minutes."""


def with_side_tables(results: Results, *, executor: Executor) -> Results:
    """The results with every table that stands beside the fits, by file name."""
    evidence, base = results.evidence, results.base
    headline = _headlines(results)
    judged = [record for record in headline if record.job.question.subset == ALL
              and _FEWEST_STUDIES <= record.k_studies <= MOST_STUDIES and record.n_patients <= _MOST_PATIENTS]
    # The longest tasks first: the helper begins there.
    parts: dict[str, list[Task]] = {
        "missing studies": [(one.endpoint, _missing, (evidence, base, one)) for one in evidence.endpoints],
        "other methods": [(_name(record), _frequentist, (evidence, record.job)) for record in headline],
        "model comparison": [(_name(record), _model_rows, (evidence, record.job, base.priors)) for record in judged],
        "interval shape": [(found.endpoint, _shape, (evidence, found, base)) for found in results.comparisons
                           if _has_a_shape(found)]}
    done = iter(share_out([(attempt, (part, endpoint, function, *arguments)) for part, tasks in parts.items()
                           for endpoint, function, arguments in tasks], executor=executor))
    made: dict[str, list[Any]] = {}
    failures: list[Failure] = []
    for part, tasks in parts.items():
        made[part], failed = without_failures(next(done) for _ in tasks)
        failures += failed
    side, failed = without_failures([attempt("decomposition", "", _tables_of, results, made)])
    return replace(results, side=side[0] if side else {}, failures=(*results.failures, *failures, *failed))


def _tables_of(results: Results, made: Mapping[str, Sequence[Any]]) -> dict[str, Table]:
    """Tables from what the tasks of each part have returned."""
    totals_rows, bounds_rows = (tuple(row for found in made["missing studies"] for row in found[at]) for at in (0, 1))
    of_methods = tuple(row for rows in made["other methods"] for row in rows)
    parts = decomposition.decompose(results.comparisons, of_methods, _with_total(totals_rows))
    models = made["model comparison"]
    return {
        "frequentist.csv": (frequentist.COLUMNS, of_methods),
        "decomposition.csv": (decomposition.COLUMNS, tuple(decomposition.rows_of(parts))),
        totals.FILE: ((*totals.PUBLISHED_TOTAL_COLUMNS, "stamp"), totals_rows),
        bounds.FILE: ((*bounds.MISSING_BOUND_COLUMNS, "stamp"), bounds_rows),
        "model_comparison.csv": (MODEL_COLUMNS, tuple(row for found in models for row in found[0])),
        "leave_one_out.csv": (LEFT_OUT_COLUMNS, tuple(row for found in models for row in found[1])),
        "interval_shapes.csv": (interval_shape.COLUMNS, tuple(
            _judged_shape(row, of_methods) for row in made["interval shape"])),
    }


def _name(record: Record) -> str:
    return record.job.question.endpoint


def _headlines(results: Results) -> list[Record]:
    """Headline fits of every endpoint, and of every subset that has a published number."""
    asked = {(found.endpoint, found.reported.subset or ALL) for found in results.comparisons if found.pooled}
    records = (results.headline(endpoint.endpoint, subset) for endpoint in results.evidence.endpoints
               for subset in dict.fromkeys((ALL, *(subset for name, subset in asked if name == endpoint.endpoint))))
    return [record for record in records if record and record.k_studies]


def _frequentist(evidence: Evidence, job: Job) -> tuple[Row, ...]:
    return frequentist.frequentist_rows(evidence, job.question, level=job.level, seed=job.seed)


def _missing(evidence: Evidence, base: Job, endpoint: Endpoint) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Rows of published_totals.csv and missing_bounds.csv, under the beta-binomial's priors of the run."""
    model = all_models()["beta_binomial"]
    own = replace(base, priors=tuple((name, text) for name, text in base.priors if name in model.priors))
    found = missing_rows(evidence, base.question, priors_of(model, own), level=base.level,
                         endpoints=(endpoint,))
    return tuple(map(cells, found.totals)), tuple(map(cells, found.bounds))


def _with_total(rows: Sequence[Row]) -> list[Row]:
    """Posteriors that use a published total in which every study is accounted for, as steps of a decomposition."""
    return [{"endpoint": row["endpoint"], "median": row["median"], "lower": row["lower"], "upper": row["upper"],
             "label": f"Posterior with the total {row['total_events']}/{row['total_n']}",
             "k_studies": row["total_k"], "n_patients": row["total_n"], "note": row["note"]}
            for row in rows if row["median"] is not None and not row["absent"] and not row["base_gap"]]


def _model_rows(evidence: Evidence, job: Job, priors: tuple[tuple[str, str], ...]) -> tuple[list[Row], list[Row]]:
    """Rows of comparison.csv and leave_one_out.csv for one endpoint."""
    selection = select(evidence, job.question)
    studies, _ = typed_studies(selection)
    kind = selection.endpoint.kind
    own = {model.name: priors_of(model, replace(job, priors=tuple(
        (name, text) for name, text in priors if name in model.priors))) for model in models_of(kind)}
    found = judge(studies, own) if kind == "rate" else comparison.alone(models_of(kind)[0], studies, own)
    shared = {name: getattr(job.question, name) for name in ("endpoint", "subset", "tiers", "study_set")}
    models, left_out = [], []
    for one in found:
        first = next(other for other in found if other.which == one.which)
        gap, error = elpd_difference(one, first) if one is not first else (None, None)
        spread = one.priors[list(one.priors)[1]]
        models.append({**shared, "which_priors": one.which, "model": one.model,
                       "priors": "; ".join(f"{name} ~ {prior}" for name, prior in one.priors.items()),
                       "prior_spread": comparison.prior_spread(one.model, spread) if kind == "rate" else None,
                       "log_evidence": one.log_evidence, "weight": one.weight, "elpd_loo": one.elpd,
                       "elpd_loo_se": one.elpd_se, "elpd_difference": gap, "elpd_difference_se": error,
                       "pit_uniform_p": uniformity(one.left_out)})
        left_out += [{**shared, "which_priors": one.which, "model": one.model,
                      "study_id": studies.study_ids[left.index],
                      "label": evidence.study(studies.study_ids[left.index]).label, "elpd_loo": left.log_predictive,
                      "pit": left.pit, "two_sided": left.tail} for left in one.left_out]
    return models, left_out


def _has_a_shape(found: Any) -> bool:
    reported = found.reported
    return bool(found.pooled and reported.primary and found.estimand == "mean_rate" and found.transform == "identity"
                and reported.ci_low is not None and reported.ci_high is not None and reported.decimals is not None
                and 0.0 < reported.estimate < 1.0)


def _shape(evidence: Evidence, found: Any, base: Job) -> Row:
    """What the published interval of a rate looks like, and what completed evidence gives."""
    reported = found.reported
    question = replace(base.question, endpoint=found.endpoint, subset=reported.subset or ALL)
    studies, _ = typed_studies(select(evidence, question))
    shape = interval_shape.published_shape(reported.estimate, reported.ci_low, reported.ci_high, reported.decimals)
    missing = interval_shape.missing_sizes(evidence, question, studies.study_ids, reported.k_studies)
    ratios = interval_shape.completed_ratios(all_models()["beta_binomial"], studies, missing, level=base.level,
                                             seed=base.seed)
    return {"reported_id": reported.reported_id, "endpoint": found.endpoint, "subset": question.subset,
            "published": reported.estimate, "published_lower": reported.ci_low, "published_upper": reported.ci_high,
            **interval_shape.shape_cells(shape, ratios)}


def _judged_shape(row: Row, methods: Sequence[Row]) -> Row:
    own = [one for one in methods if one["endpoint"] == row["endpoint"] and one["subset"] == row["subset"]]
    return interval_shape.with_verdict(row, own)
