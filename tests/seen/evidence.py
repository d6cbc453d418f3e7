"""A compact evidence directory that has one of everything a table, figure or sentence of the report depends on.

Tiers, a subset with a study on neither side, covariates with missing cells, an extension study, a retrospective one,
studies without a count, published numbers of every kind, a total, a scenario, strata, an early landmark, person-time.
All numbers are invented, and no two of them that could be mixed up are equal. Each decision cites a fact of its own.
"""

import csv
import io
from pathlib import Path

TABLES = {
    "studies.csv": """\
study_id,label,year,n_treated,n_enrolled,cohort,target,in_review,design,median_age,hct_pct,dose,prior_hct_n
ash_2015,Ash 2015,2015,24,30,adult,CD19,true,prospective,34,20,1.5,5
birch_2016,Birch 2016,2016,41,,combined,CD19,true,prospective,28.5,,2.5,16
cedar_2017,Cedar 2017,2017,15,,adult,CD22,true,prospective,47,60,0.5,9
dogwood_2018,Dogwood 2018,2018,33,37,adult,CD19,true,prospective,,45,3.25,11
elm_2018,Elm 2018,2018,52,,combined,CD19,true,prospective,39,10,2,
fir_2019,Fir 2019,2019,19,,,CD22,true,prospective,55,75,1,7
gum_2020,Gum 2020,2020,28,,adult,CD19,true,prospective,42,35,,8
hazel_2021,Hazel 2021,2021,63,,adult,CD19,false,prospective,44,25,2.25,20
ivy_2014,Ivy 2014,2014,12,,combined,CD19,true,retrospective,31,50,1.75,3
""",
    "endpoints.csv": """\
endpoint,label,kind,direction,parent,population,horizon_months
cr,Complete remission,rate,benefit,,treated,
tox,Severe toxicity,rate,harm,,treated,
os,Overall survival,survival,benefit,,treated,12
""",
    "responses.csv": """\
study_id,endpoint,events,n,population,timing,tier,fact_ids,decision,grading
ash_2015,cr,20,24,all_treated,day 28,A,,,
birch_2016,cr,26,41,all_treated,day 28,A,,,
cedar_2017,cr,13,15,all_treated,month 3,A,,,
dogwood_2018,cr,21,31,evaluable,day 28,B,,,
elm_2018,cr,43,52,all_treated,month 3,B,,,
gum_2020,cr,15,28,all_treated,day 28,C,,,
hazel_2021,cr,50,63,all_treated,day 28,A,,,
ivy_2014,cr,9,12,all_treated,day 28,A,,,
ash_2015,tox,3,24,all_treated,,A,,,Lee
birch_2016,tox,11,41,all_treated,,A,,,Penn
cedar_2017,tox,6,15,all_treated,,A,,,Lee
dogwood_2018,tox,5,33,all_treated,,A,,,Lee
elm_2018,tox,9,52,all_treated,,B,,,Penn
fir_2019,tox,1,19,all_treated,,A,,,
""",
    "survival.csv": """\
study_id,endpoint,definition,population,stratum,cut,statistic,time_months,estimate,ci_low,ci_high,ci_level,\
upper_not_reached,n,events,person_months,tier,fact_ids,decision
ash_2015,os,OS,all_treated,,primary,landmark,12,0.58,0.38,0.74,0.95,false,24,,,A,,
birch_2016,os,OS,all_treated,,primary,median,,11.4,7.5,19.8,0.95,false,41,,,A,,
birch_2016,os,OS,all_treated,,primary,landmark,36,0.16,,,,false,41,,,A,,
cedar_2017,os,OS,all_treated,,primary,landmark,4,0.81,,,,false,15,,,A,,
dogwood_2018,os,OS,all_treated,responders,primary,median,,21.5,12.4,,0.95,true,22,,,A,,
dogwood_2018,os,OS,all_treated,others,primary,median,,4.9,2.6,8.2,0.95,false,11,,,A,,
elm_2018,os,EFS,all_treated,,primary,,,,,,,,52,23,498.5,B,,
fir_2019,os,OS,all_treated,,primary,median,,14.2,6.6,,0.95,true,19,,,A,,
gum_2020,os,OS,all_treated,,primary,median,,9.1,,,,false,28,,,C,,
""",
    "reported.csv": """\
reported_id,endpoint,subset,statistic,k_studies,n_patients,events,estimate,ci_low,ci_high,level,units,decimals,\
primary,source_id,locator,note
R01,cr,all,mean_probability,7,212,157,0.76,0.66,0.84,0.95,probability,2,true,review_2021,Results,The main result
R02,cr,adult_only,mean_probability,4,100,71,0.71,0.58,0.82,0.95,probability,2,true,review_2021,Results,
R03,cr,all,mean_probability,,,,0.75,0.65,0.84,0.95,probability,2,false,review_2021,Abstract,Another printing
R04,os,all,survival_12m,6,184,,0.61,0.53,0.69,0.95,probability,2,true,review_2021,Results,
R05,os,all,median_months,6,,,13.5,10.2,18.4,0.95,months,1,true,review_2021,Results,
R06,tox,all,mean_probability,6,184,,0.21,0.14,0.29,0.9,probability,2,true,review_2021,Results,A 90 % interval
R07,no_tox,all,mean_probability,6,184,,0.82,0.74,0.89,0.95,probability,2,true,review_2021,Results,
R08,prior_hct,all,proportion,6,173,58,0.335,,,,probability,3,true,review_2021,Table 1,
R09,no_cr,all,proportion,7,,,0.26,,,,probability,2,true,review_2021,Results,
R10,followup,all,median_months,5,150,,14.5,,,,months,1,true,review_2021,Results,
R11,tox,cd22,mean_probability,2,34,,0.24,,,,probability,2,true,review_2021,Results,
""",
    "comparisons.csv": """\
reported_endpoint,statistic,endpoint,column,estimand,transform,reason,label
cr,mean_probability,cr,,mean_rate,identity,,
os,survival_12m,os,,survival,identity,,
os,median_months,os,,median_months,identity,,
tox,mean_probability,tox,,mean_rate,identity,,
no_tox,mean_probability,tox,,mean_rate,complement,,Free of severe toxicity
prior_hct,proportion,,prior_hct_n,crude_column,identity,,Prior transplant
no_cr,proportion,cr,,crude_rate,complement,,No remission
followup,median_months,,,,,Follow-up is no outcome.,Follow-up
""",
    "totals.csv": "endpoint,k_studies,events,n,source_id,locator,note\ncr,7,157,212,review_2021,Results,Printed once\n",
    "scenarios.csv": """\
scenario,endpoint,total_events,total_n,study_id,n,note
fewer_fir,cr,155,208,fir_2019,15,Fir without four patients
one_denominator,cr,157,210,dogwood_2018,29,Dogwood evaluable for response
""",
    "benchmarks.csv": """\
endpoint,label,estimand,time_months,low,high,source_id,locator,note
cr,Older drugs,rate,,0.72,,review_2021,Discussion,One trial
cr,Newer drugs,rate,,0.64,0.83,review_2021,,Over trials
os,Older drugs,median_months,,13.25,,review_2021,Discussion,
os,Older drugs,survival,12,0.52,,review_2021,Table 3,Other patients
os,Newer drugs,survival,24,0.25,0.35,review_2021,Table 3,
""",
    "sources.csv": """\
source_id,citation,doi,pmid,url,kind
review_2021,Rowan A et al. Invented Journal 2021;1:1,10.1234/invented.2021,,,review_paper
letter_2016,A letter,,,https://letters.example/16,press
""",
    "subsets.csv": """\
subset,label,column,value
all,All studies,,
adult_only,Adults only,cohort,adult
cd22,CD22 as target,target,CD22
""",
    "covariates.csv": """\
covariate,label,column,unit,unit_size,transformation,lowest,highest,note
age,Median age,median_age,10 years,10,identity,0,,
hct,Earlier transplant,hct_pct,25 points,25,identity,0,100,
year,Year,year,2 years,2,identity,,,
""",
}


LEDGER = """\
fact_id,study_id,endpoint,quantity,value,denominator,ci_low,ci_high,time_months,population,source_id,locator,\
derived,confidence,note
F901,birch_2016,cr,percent,70,41,,,,all_treated,letter_2016,Page 2,false,high,Perhaps a slip
F902,birch_2016,cr,events,25,38,,,,evaluable,letter_2016,Page 3,false,high,
F903,birch_2016,cr,percent,63,,,,,not_stated,review_2021,Table 3,false,high,
F904,ash_2015,followup,text,18 to 40 months,,,,,all_treated,review_2021,Table 1,false,high,
"""
"""Facts that no decision cites: one that contradicts, one of another base, one that agrees, one about the study."""


def _with_ledger() -> None:
    """Give each decision a reason and a fact that states it, in place."""
    facts = list(csv.DictReader(io.StringIO(LEDGER)))
    for file in ("responses.csv", "survival.csv"):
        rows = list(csv.DictReader(io.StringIO(TABLES[file])))
        for row in rows:
            row |= {"fact_ids": f"F{len(facts) - 3:03d}", "decision": f"Because of line {len(facts)}."}
            percent = row.get("statistic") == "landmark"
            facts.append({name: row.get(name, "") for name in facts[0]} | {
                "fact_id": row["fact_ids"], "denominator": row["n"], "source_id": "review_2021", "derived": "false",
                "locator": f"Row {len(facts)}", "confidence": "high", "note": "", "quantity": {
                    "median": "median_months", "landmark": "probability_percent"}.get(row.get("statistic"), "events"),
                "value": f"{100 * float(row['estimate']):g}" if percent else row.get("estimate") or row["events"],
                **{name: f"{100 * float(row[name]):g}" for name in ("ci_low", "ci_high") if percent and row[name]}})
        TABLES[file] = _as_csv(rows)
    TABLES["extraction.csv"] = _as_csv(facts)


def _as_csv(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


_with_ledger()


def write(folder: Path) -> Path:
    """The directory, written below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TABLES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
