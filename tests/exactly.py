"""Whole results of an evidence directory by quadrature alone: every table and figure in seconds, without a sampler."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

from analysis.cases.selection import Question
from analysis.cases.settings import EXACT, QUICK, Job
from analysis.evidence import Evidence
from analysis.results.comparison import compare
from analysis.results.records import records
from analysis.results.results import Results
from analysis.runs.dependence import with_dependence
from analysis.runs.plan import bundles, plan
from analysis.runs.side import with_side_tables


class Idle(Executor):
    """A helper process that begins nothing, so that all is done here."""

    def submit(self, function: Callable, /, *arguments: Any, **options: Any) -> Future:
        return Future()


def exact_results(evidence: Evidence, *, dependence: bool = True, executor: Executor | None = None) -> Results:
    """The results of `report` with the exact engine in place of the sampler."""
    executor, base = executor or Idle(), Job(Question(""), engine=EXACT, sampler=QUICK)
    jobs = [replace(job, sampler=QUICK) for job in plan(evidence, base)]
    done = {record.job: record for bundle in bundles(evidence, jobs) for record in records(evidence, bundle, None)}
    found = tuple(done[job] for job in jobs)
    pooled = {one.job.question: one.pooled for one in reversed(found)}
    results = Results(evidence, base, found, tuple(compare(evidence, base.question, pooled)))
    results = with_side_tables(results, executor=executor)
    return with_dependence(results, executor=executor, quick=True) if dependence else results
