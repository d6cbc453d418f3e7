"""Small evidence of two nested rates, and their posteriors; counts in the tables of studies may be missing."""

from pathlib import Path

from analysis.cases.nesting import Nesting, nest
from analysis.cases.settings import Job, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from tests.evidence.build import write_files

ENDPOINTS = ("endpoint,label,kind,direction,parent,population\nany,Any grade,rate,harm,,treated\n"
             "severe,Severe,rate,harm,any,treated\n")
COUNTS = {"both": ((7, 12), (3, 12)), "zero": ((0, 5), (0, 5)), "whole": ((9, 15), None), "part": (None, (2, 9))}
"""Of each study events and patients of any grade, and of severe ones."""


def evidence_of(folder: Path, counts=COUNTS, *, endpoints: str = ENDPOINTS, cells=(), **tables: str) -> Evidence:
    """The evidence of such counts.

    Parameters
    ----------
    cells : mapping of (study, endpoint) to str
        Further cells of a row of responses: population, timing, tier and grading.
    """
    studies = "study_id,label,year,in_review\n" + "".join(f"{name},Study {name},2020,true\n" for name in counts)
    rows = [(name, endpoint, *pair) for name, pairs in counts.items()
            for endpoint, pair in zip(("any", "severe"), pairs, strict=True) if pair]
    responses = "study_id,endpoint,events,n,population,timing,tier,grading\n" + "".join(
        f"{name},{endpoint},{y},{n},{dict(cells).get((name, endpoint), 'all_treated,,A,')}\n"
        for name, endpoint, y, n in rows)
    files = {"studies": studies, "endpoints": endpoints, "responses": responses, **tables}
    return load(write_files(folder, {f"{name}.csv": text for name, text in files.items()}))


def nesting_of(evidence: Evidence, endpoint: str = "severe", priors=(), level: float = 0.95, **question) -> Nesting:
    """An endpoint within its parent."""
    return nest(evidence, Job(Question("", **question), priors=priors, level=level), endpoint)
