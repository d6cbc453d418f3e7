"""Evidence directories for what conclusions hang on: eight studies, one of them planted out of place."""

from functools import partial
from pathlib import Path

from analysis.cases.settings import Job, Question
from analysis.chapters.influence.rows import INFLUENCE, influence_rows
from analysis.chapters.small_studies.rows import SMALL_STUDIES, small_study_rows
from analysis.chapters.subsets.rows import SUBSET_DIFFERENCES, subset_rows
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from tests.casing import rows_of
from tests.evidence.build import write_files

COUNTS = {"a": (16, 20), "b": (24, 30), "c": (31, 40), "d": (41, 50), "e": (20, 25), "f": (28, 35), "g": (12, 15)}
ENDPOINTS = ("endpoint,label,kind,direction,population,horizon_months\ncr,Complete remission,rate,benefit,treated,\n"
             "os,Overall survival,survival,benefit,treated,12\n")
SURVIVAL = "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,ci_level,n\n"
SUBSETS = "subset,label,column,value\nall,All,,\nlate,Late,year,>=2015\n"
CR, OS = Job(Question("cr")), Job(Question("os"))
influence_of = partial(rows_of, influence_rows, INFLUENCE)
differences_of = partial(rows_of, subset_rows, SUBSET_DIFFERENCES)
funnel_of = partial(rows_of, small_study_rows, SMALL_STUDIES)


def evidence_of(folder: Path, counts: dict[str, tuple[int, int]] = COUNTS, *, subsets: str | None = SUBSETS,
                medians: dict[str, tuple[float, int]] | None = None, ages: dict[str, str] | None = None) -> Evidence:
    """Counts of one rate, and medians of survival with the patients behind them; years are 2011, 2012 and so on."""
    names = list(dict.fromkeys([*counts, *(medians or {})]))
    studies = "study_id,label,year,age\n" + "".join(
        f"{name},Study {name},{2011 + at},{(ages or {}).get(name, '')}\n" for at, name in enumerate(names))
    responses = "study_id,endpoint,events,n\n" + "".join(f"{name},cr,{y},{n}\n" for name, (y, n) in counts.items())
    survival = SURVIVAL + "".join(f"{name},os,median,,{months},,,,{n}\n"
                                  for name, (months, n) in (medians or {}).items())
    return load(write_files(folder, {"studies.csv": studies, "endpoints.csv": ENDPOINTS, "responses.csv": responses,
                                     "survival.csv": survival, "subsets.csv": subsets}))
