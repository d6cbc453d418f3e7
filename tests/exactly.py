"""Whole results of an evidence directory by quadrature alone: every table and figure in seconds, without a sampler."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

from analysis.comparison import compare
from analysis.dependence import with_dependence
from analysis.evidence import Evidence
from analysis.jobs import EXACT, QUICK, Job
from analysis.pipeline import Results
from analysis.planning import bundles, plan
from analysis.records import records
from analysis.selection import Question
from analysis.side import with_side_tables


def submit_nothing(*_: object) -> SimpleNamespace:
    """A helper process that begins nothing, so that all is done here."""
    return SimpleNamespace(cancel=lambda: True)


def exact_results(evidence: Evidence, *, dependence: bool = True, submit: Callable = submit_nothing) -> Results:
    """The results of `report` with the exact engine in place of the sampler."""
    base = Job(Question(""), engine=EXACT, sampler=QUICK)
    jobs = [replace(job, sampler=QUICK) for job in plan(evidence, base)]
    done = {record.job: record for bundle in bundles(evidence, jobs) for record in records(evidence, bundle, None)}
    found = tuple(done[job] for job in jobs)
    pooled = {one.job.question: one.pooled for one in reversed(found)}
    results = Results(evidence, base, found, tuple(compare(evidence, base.question, pooled)))
    results = with_side_tables(results, submit=submit)
    return with_dependence(results, submit=submit, quick=True) if dependence else results
