"""Whole results of an evidence directory by quadrature alone: every table and figure in seconds, without a sampler."""

from concurrent.futures import Executor
from dataclasses import replace

from analysis.cases.selection import Question
from analysis.cases.settings import EXACT, QUICK, Job
from analysis.chapters.chapter import all_chapters
from analysis.evidence import Evidence
from analysis.results.results import Results
from analysis.runs.pipeline import run_all
from analysis.runs.plan import plan
from analysis.runs.workers import Nobody


def exact_results(evidence: Evidence, *, without: tuple[str, ...] = (), executor: Executor | None = None) -> Results:
    """The results of `report` with the exact engine in place of the sampler, without some chapters."""
    base = Job(Question(""), engine=EXACT, sampler=QUICK)
    jobs = [replace(job, sampler=QUICK, engine=EXACT) for job in plan(evidence, base)]
    chapters = [chapter for chapter in all_chapters() if chapter.name not in without]
    return run_all(evidence, base, jobs, chapters, folder=None, executor=executor or Nobody(), quick=True)
