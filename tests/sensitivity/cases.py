"""A small evidence directory: a rate with tiers, gradings, timings and scenarios, and a curve with two definitions."""

from pathlib import Path

from analysis.cases.settings import Job, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from tests.evidence.build import write_files

JOB = Job(Question("cr"))

STUDIES = """\
study_id,label,year,n_treated,in_review,n_enrolled
a,A 2015,2015,20,true,25
b,B 2016,2016,30,true,
c,C 2017,2017,25,true,25
d,D 2018,2018,40,true,
later,Later 2024,2024,40,false,
"""
ENDPOINTS = """\
endpoint,label,kind,direction,population,horizon_months
cr,Complete remission,rate,benefit,treated,
crs,Cytokine release,rate,harm,treated,
pfs,Event-free survival,survival,benefit,treated,12
"""
RESPONSES = """\
study_id,endpoint,events,n,timing,tier,grading
a,cr,15,20,day 28,A,
b,cr,26,30,day 28,A,
c,cr,18,25,best response,B,
d,cr,2,40,day 28,C,
later,cr,30,40,day 28,A,
a,crs,5,20,,A,Penn
b,crs,9,30,,A,Lee 2014
c,crs,4,25,,B,
"""
SURVIVAL = """\
study_id,endpoint,definition,statistic,time_months,estimate,ci_low,ci_high,n,tier
a,pfs,EFS,landmark,12,0.4,0.25,0.6,20,A
a,pfs,EFS,median,,11,6,40,20,A
b,pfs,EFS,median,,9,,,30,A
c,pfs,RFS,landmark,4,0.7,,,25,A
d,pfs,RFS,landmark,12,0.5,0.35,0.65,40,B
"""
REPORTED = """\
reported_id,endpoint,subset,statistic,k_studies,estimate,ci_low,ci_high,level,units,primary
R1,cr,all,mean_probability,4,0.69,0.6,0.8,0.95,probability,true
R2,pfs,all,survival_12m,4,0.45,0.3,0.6,0.95,probability,true
"""
COMPARISONS = """\
reported_endpoint,statistic,endpoint,column,estimand,transform,reason
cr,mean_probability,cr,,mean_rate,identity,
pfs,survival_12m,pfs,,survival,identity,
"""
SCENARIOS = "scenario,endpoint,total_events,total_n,study_id,n,note\nfewer,cr,,,c,20,\n"
TOTALS = "endpoint,k_studies,events,n\ncr,4,61,115\n"

FILES = {"studies.csv": STUDIES, "endpoints.csv": ENDPOINTS, "responses.csv": RESPONSES, "survival.csv": SURVIVAL,
         "reported.csv": REPORTED, "comparisons.csv": COMPARISONS, "scenarios.csv": SCENARIOS, "totals.csv": TOTALS}


def evidence_of(folder: Path, **tables: str | None) -> Evidence:
    """The directory with some tables replaced, or left out with None."""
    return load(write_files(folder, FILES | {f"{name}.csv": text for name, text in tables.items()}))
