"""Evidence with later studies: a review of seven similar ones, and what came after it."""

from functools import partial
from pathlib import Path

from analysis.cases.settings import Job, Question
from analysis.chapters.checks.rows import CHECK_STATISTICS, CHECKS, check_rows
from analysis.chapters.validation.rows import VALIDATION, validation_rows
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from tests.casing import rows_of
from tests.evidence.build import write_files
from tests.influence.cases import COUNTS, ENDPOINTS

CR, OS = Job(Question("cr")), Job(Question("os"))
checks_of = partial(rows_of, check_rows, CHECKS)
statistics_of = partial(rows_of, check_rows, CHECK_STATISTICS)
validation_of = partial(rows_of, validation_rows, VALIDATION)
SURVIVAL = "study_id,endpoint,statistic,time_months,estimate,ci_low,ci_high,ci_level,n,events,person_months,tier\n"


def evidence_of(folder: Path, later: dict[str, tuple[int, int]], *, review: dict[str, tuple[int, int]] = COUNTS,
                cells: dict[str, str] | None = None, survival: str = "", labels: str = "Study {}") -> Evidence:
    """Counts of one rate over the review's and the later studies.

    Parameters
    ----------
    cells : mapping of str to str
        design, overlaps_with and tier of a study in one text with commas; all empty otherwise.
    survival : str
        Lines of survival.csv, with the columns of SURVIVAL.
    """
    cells, names = cells or {}, [*review, *later]
    studies = "study_id,label,year,in_review,design,overlaps_with\n" + "".join(
        f"{name},{labels.format(name)},{2011 + at},{str(name in review).lower()},"
        f"{cells.get(name, ',,').rpartition(',')[0]}\n" for at, name in enumerate(names))
    responses = "study_id,endpoint,events,n,tier\n" + "".join(
        f"{name},cr,{y},{n},{cells.get(name, ',,A').rpartition(',')[2]}\n"
        for name, (y, n) in {**review, **later}.items())
    return load(write_files(folder, {"studies.csv": studies, "endpoints.csv": ENDPOINTS, "responses.csv": responses,
                                     "survival.csv": SURVIVAL + survival}))
