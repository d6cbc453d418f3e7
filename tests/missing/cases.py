"""A small evidence directory: three studies with a count, the rest of the review without one."""

from pathlib import Path
from typing import Any

from analysis.cases.settings import Job, Question
from analysis.chapters.missing.rows import MISSING_BOUNDS, PUBLISHED_TOTALS, missing_rows
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from tests.evidence.build import write_files

CR = Job(Question("cr"))
STUDIES = """\
study_id,label,year,n_treated,in_review
a,A 2015,2015,20,true
b,B 2016,2016,30,true
c,C 2017,2017,25,true
d,D 2018,2018,12,true
e,E 2019,2019,8,true
later,Later 2024,2024,40,false
"""
ENDPOINTS = """\
endpoint,label,kind,direction,population
cr,Complete remission,rate,benefit,treated
relapse,Relapse,rate,harm,responders
os,Overall survival,survival,benefit,treated
"""
RESPONSES = """\
study_id,endpoint,events,n
a,cr,15,20
b,cr,26,30
c,cr,18,25
later,cr,10,40
a,relapse,5,15
"""
REPORTED = """\
reported_id,endpoint,subset,statistic,k_studies,estimate,ci_low,ci_high,level,units,primary
R1,cr,all,mean_probability,5,0.8,0.7,0.9,0.95,probability,true
R2,relapse,all,mean_probability,5,0.4,0.3,0.5,0.95,probability,true
"""
COMPARISONS = """\
reported_endpoint,statistic,endpoint,column,estimand,transform,reason
cr,mean_probability,cr,,mean_rate,identity,
relapse,mean_probability,relapse,,mean_rate,identity,
"""
TOTALS = "endpoint,k_studies,events,n\ncr,5,74,95\n"
SCENARIOS = "scenario,endpoint,total_events,total_n,study_id,n,note\nfewer,cr,,90,d,7,Seven were evaluable\n"

FILES = {"studies.csv": STUDIES, "endpoints.csv": ENDPOINTS, "responses.csv": RESPONSES, "reported.csv": REPORTED,
         "comparisons.csv": COMPARISONS, "totals.csv": TOTALS, "scenarios.csv": SCENARIOS}


def evidence_of(folder: Path, **tables: str | None) -> Evidence:
    """The directory with some tables replaced, or left out with None."""
    return load(write_files(folder, FILES | {f"{name}.csv": text for name, text in tables.items()}))


def rows_of_rates(evidence: Evidence, job: Job = CR) -> list[tuple[dict[str, Any], ...]]:
    """The rows of every rate: those of the published totals, and those of the bounds."""
    tables = [missing_rows(evidence, job, endpoint.endpoint) for endpoint in evidence.endpoints
              if endpoint.kind == "rate"]
    return [layout.table(row for table in tables for row in table[layout.file]).rows
            for layout in (PUBLISHED_TOTALS, MISSING_BOUNDS)]
