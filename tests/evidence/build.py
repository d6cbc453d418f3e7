"""Small evidence directories for tests: a minimal portable set, a full set, and edits of single cells."""

import csv
import io
from pathlib import Path

MINIMAL = {
    "studies.csv": "study_id,label,year\nalpha_2019,Alpha 2019,2019\nbeta_2021,Beta 2021,2021\n",
    "endpoints.csv": "endpoint,label,kind,direction\ncr,Complete remission,rate,benefit\n",
    "responses.csv": "study_id,endpoint,events,n\nalpha_2019,cr,8,10\nbeta_2021,cr,15,20\n",
}

FULL = {
    "studies.csv": """\
study_id,label,year,n_treated,cohort,antigen_target,in_review,design,median_age,note
park_2018,Park 2018,2018,53,adult,CD19,true,prospective,44,
hay_2019,Hay 2019,2019,53,adult,CD19,true,prospective,39.5,"two strata, printed apart"
gu_2020,Gu 2020,2020,20,combined,CD22,false,prospective,,
""",
    "endpoints.csv": """\
endpoint,label,kind,direction,parent,population,horizon_months
cr,Complete remission,rate,benefit,,treated,
mrd_neg,MRD-negative remission,rate,benefit,cr,treated,
pfs,Progression-free survival,survival,benefit,,treated,12
os,Overall survival,survival,benefit,pfs,treated,12
""",
    "responses.csv": """\
study_id,endpoint,events,n,population,timing,tier,fact_ids,decision
park_2018,cr,44,53,all_treated,day 28,A,F0123 F0124,Stated in the abstract.
park_2018,mrd_neg,32,53,all_treated,day 28,B,F0125,
hay_2019,cr,45,53,all_treated,,A,F0126,
gu_2020,cr,18,20,,,B,F0201,
""",
    "survival.csv": """\
study_id,endpoint,definition,population,stratum,cut,statistic,time_months,estimate,ci_low,ci_high,ci_level,\
upper_not_reached,n,events,person_months,tier,fact_ids,decision
park_2018,os,OS,all_treated,,primary,median,,12.9,8.7,23.4,0.95,false,53,,,A,F0125,
park_2018,pfs,EFS,all_treated,,primary,landmark,12,0.38,0.26,0.50,0.9,false,53,,,A,F0125,
hay_2019,os,OS,all_treated,,primary,median,,18.2,15.9,,0.95,true,53,,,A,F0127,
gu_2020,os,OS,all_treated,,primary,,,,,,,,20,9,180.5,B,F0201,
gu_2020,pfs,RFS,all_treated,,primary,median,,6.9,,,,,20,,,B,F0201,
""",
    "reported.csv": """\
reported_id,endpoint,subset,statistic,k_studies,n_patients,events,estimate,ci_low,ci_high,level,units,decimals,\
primary,source_id,locator,note
R01,cr,all,mean_probability,16,489,400,0.81,0.72,0.89,0.95,probability,2,true,grover_2022,Results,
R02,os,cd19_only,median_months,13,,,15,11.6,19.4,0.95,months,0,false,grover_2022,Results,
""",
    "totals.csv": "endpoint,k_studies,events,n,source_id,locator,note\ncr,16,400,489,grover_2022,Results,\n",
    "scenarios.csv": """\
scenario,endpoint,total_events,total_n,study_id,n,note
adults,cr,400,478,hay_2019,42,The adults only
adults,cr,400,478,park_2018,53,
""",
    "sources.csv": """\
source_id,citation,doi,pmid,url,kind
grover_2022,"Grover et al., 2022",10.1182/bloodadvances.2020003482,34610109,,review_paper
""",
    "extraction.csv": """\
fact_id,study_id,endpoint,quantity,value,denominator,ci_low,ci_high,time_months,population,source_id,locator,\
derived,confidence,note
F0123,park_2018,cr,events,44,53,,,,all_treated,grover_2022,Table 1,false,high,
F0124,park_2018,cr,percent,83.0,53,,,,all_treated,grover_2022,Table 1,true,high,
F0125,park_2018,os,median_months,12.9,,8.7,23.4,,all_treated,grover_2022,Table 1,,high,
F0126,hay_2019,design,text,two phases,,,,,all_treated,grover_2022,Table 1,false,low,
F0127,hay_2019,os,median_not_reached,,,15.9,,,all_treated,grover_2022,Table 1,false,low,
F0201,gu_2020,cr,events,18,20,,,,all_treated,grover_2022,Table 1,false,high,
""",
    "audit.csv": "check_id,statement,locator,recomputed,verdict,comment\nC01,16 studies,Text,16,open,\n",
    "subsets.csv": """\
subset,label,column,value
everything,Every study,,
cd19_only,CD19 only,antigen_target,CD19
cd19_only,CD19 only,cohort,adult
""",
    "comparisons.csv": """\
reported_endpoint,statistic,endpoint,column,estimand,transform,reason
cr,mean_probability,cr,,mean_rate,identity,
prior_hct,proportion,,median_age,crude_column,,
followup,median_months,,,,,Follow-up is not modelled.
""",
    "covariates.csv": """\
covariate,label,column,unit,unit_size,transformation,lowest,highest,note
age,Median age,median_age,10 years,10,,0,120,
treated,Patients treated,n_treated,tenfold,,log10,,,
""",
    "gaps.csv": "study_id,endpoint,known,look_up\nhay_2019,cr,a letter gives 80 %,\n",
    "about.csv": "about,text\ntitle,Remission after another therapy\npopulation,adults\n",
    "benchmarks.csv": "endpoint,label,estimand,low,high\ncr,Another treatment,rate,0.3,\n",
}


def write_evidence(path: Path, **tables: str | bytes | None) -> Path:
    """Return a directory with the minimal portable evidence set, changed as asked.

    Parameters
    ----------
    path : Path
        The directory; made if absent.
    tables : str, bytes or None
        Content by table name without ending, such as `studies="..."`; None leaves the table out.
    """
    return write_files(path, MINIMAL | {f"{name}.csv": content for name, content in tables.items()})


def write_files(path: Path, files: dict[str, str | bytes | None]) -> Path:
    """Return a directory that holds exactly the given files; None stands for an absent one."""
    path.mkdir(parents=True, exist_ok=True)
    for old in path.glob("*.csv"):
        old.unlink()
    for name, content in files.items():
        if content is not None:
            (path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells_of(text: str) -> list[list[str]]:
    """Return the cells of a table, header first."""
    return list(csv.reader(io.StringIO(text, newline="")))


def table_of(cells: list[list[str]]) -> str:
    """Return the text of a table from its cells."""
    stream = io.StringIO(newline="")
    # The writer leaves a lone carriage return without quotes, which would end the row for a reader.
    quoting = csv.QUOTE_ALL if any("\r" in cell for row in cells for cell in row) else csv.QUOTE_MINIMAL
    csv.writer(stream, lineterminator="\n", quoting=quoting).writerows(cells)
    return stream.getvalue()


def with_cell(text: str, row: int, column: str, value: str) -> str:
    """Return the table with one cell replaced.

    Parameters
    ----------
    text : str
        A table in which each row takes one line.
    row : int
        Line of the file; the header is line 1.
    column : str
        Column of the cell.
    value : str
        Its new text.
    """
    cells = cells_of(text)
    cells[row - 1][cells[0].index(column)] = value
    return table_of(cells)


def without_column(text: str, column: str) -> str:
    """Return the table without one column."""
    cells = cells_of(text)
    place = cells[0].index(column)
    return table_of([row[:place] + row[place + 1 :] for row in cells])
