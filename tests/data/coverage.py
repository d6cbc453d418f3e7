"""The coverage table of README.md and gaps.md are generated from the tables; gaps.csv says what they cannot."""

import re

from . import readme
from .tables import Data, Row, number, token

GROUPS = (("review", "true"), ("extension", "false"))
TIERS = ("A", "AB", "ABC")
REFRESH = "python -m tests.data.checksums --write"
HEADINGS = (
    "# What is known and what is missing\n\n"
    "Review studies by endpoint. A cell with a letter is a decision row (events/n, or a survival "
    "statistic) and its tier; every other cell says what is missing. Square brackets name the base of a "
    "survival statistic that is not over all treated. The letters are defined in README.md; *not found* "
    "means that no source in `sources.csv` was seen to state it.",
    "## Extension studies")


def coverage(data: Data) -> str:
    """Return the coverage table as README.md prints it."""
    names = [f"{group} {'+'.join(tiers)}" for group, _ in GROUPS for tiers in TIERS]
    lines = []
    for endpoint in readme.endpoint_keys(data)[0]:
        rows = [row for row in data.decisions if row["endpoint"] == endpoint]
        lines.append([endpoint, *(_covered(data, rows, tiers, flag) for _, flag in GROUPS for tiers in TIERS)])
    heading = f"| endpoint | {' | '.join(names)} |\n{'|---' * (len(names) + 1)}|\n"
    return heading + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _covered(data: Data, rows: list[Row], tiers: str, in_review: str) -> str:
    counted = [row for row in rows if row["tier"] in tiers and data.studies[row["study_id"]]["in_review"] == in_review]
    studies = list(dict.fromkeys(row["study_id"] for row in counted))
    patients = sum(_patients([row for row in counted if row["study_id"] == study]) for study in studies)
    return f"{len(studies)} ({patients})"


def _patients(rows: list[Row]) -> int:
    """The largest base of one study; parts that stand for it together are added."""
    parts: dict[str, int] = {}
    for row in rows:
        stratum = row.get("stratum", "")
        parts[stratum] = max(parts.get(stratum, 0), int(row["n"]))
    return parts[""] if "" in parts else sum(parts.values())


def readme_prints_the_coverage(data: Data) -> list[str]:
    expected = readme.tables(coverage(data))[0]
    found = readme.tables(readme.section(data.text("README.md"), "## Coverage"))[0]
    return [] if found == expected else [f"the coverage table of README.md should be\n{coverage(data)}"]


def gaps(data: Data) -> str:
    """Return gaps.md: every study by every endpoint, then what to look up first."""
    known = {(row["study_id"], row["endpoint"]): row["known"] for row in data["gaps"] if row["endpoint"]}
    parts = []
    for (_, flag), heading in zip(GROUPS, HEADINGS, strict=True):
        lines = [[f"{study['label']} ({study['n_treated']})", *(
            _decided(data, study["study_id"], endpoint)
            or f"*{known.get((study['study_id'], endpoint), 'not found')}*" for endpoint in data.endpoints)]
            for study in data["studies"] if study["in_review"] == flag]
        header = f"| study (n) | {' | '.join(data.endpoints)} |\n{'|---' * (len(data.endpoints) + 1)}|\n"
        parts.append(f"{heading}\n\n{header}" + "".join(f"| {' | '.join(cells)} |\n" for cells in lines))
    items = [row["look_up"] for row in data["gaps"] if row["look_up"]]
    listed = "".join(f"{place}. {text}\n" for place, text in enumerate(items, start=1))
    return "\n".join([*parts, f"## What to look up first with full-text access\n\n{listed}"])


def _decided(data: Data, study_id: str, endpoint: str) -> str:
    keys = (study_id, endpoint)
    counts = [f"{row['events']}/{row['n']} **{row['tier']}**" for row in data["responses"]
              if (row["study_id"], row["endpoint"]) == keys]
    curves = [_survival_words(row) for row in data["survival"] if (row["study_id"], row["endpoint"]) == keys]
    return "; ".join(counts + curves)


def gaps_are_generated(data: Data) -> list[str]:
    return [] if data.text("gaps.md") == gaps(data) else ["gaps.md is not what the tables give; run " + REFRESH]


def _points(cell: str, scale: int) -> str:
    """A number on its printed scale, without zeros at the end where it is a percentage."""
    return f"{(number(cell) * 100).normalize():f}" if scale == 100 else cell


def _survival_words(row: Row) -> str:
    landmark = row["statistic"] == "landmark"
    scale = 100 if landmark else 1
    text = f"{row['definition']} median {row['estimate']} mo"
    if landmark:
        text = f"{row['definition']} {_points(row['estimate'], scale)} % at {row['time_months']} mo"
    if row["ci_low"]:
        high = _points(row["ci_high"], scale) if row["ci_high"] else "not reached"
        text += f" ({_points(row['ci_low'], scale)}-{high})"
    base = token(row["population"])
    if base != "all_treated":
        text += f" [{base}, n={row['n']}]" if row["stratum"] else f" [{base}]"
    return f"{text} **{row['tier']}**"


def gaps_name_numbers_of_the_ledger(data: Data) -> list[str]:
    """Percentages, and counts of a base, in a text about a cell are facts of the study."""
    problems = []
    for gap in (row for row in data["gaps"] if row["endpoint"]):
        facts = [fact for fact in data["extraction"] if fact["study_id"] == gap["study_id"]]
        printed = {fact["value"] for fact in facts if fact["endpoint"] == gap["endpoint"]
                   and "percent" in fact["quantity"]}
        counted = {f"{fact['value']}/{fact['denominator']}" for fact in facts}
        named = set(re.findall(r"(\d[\d.]*) (?:%|or \d+ %)", gap["known"]))
        missing = sorted(named - printed) + sorted(set(re.findall(r"\b\d+/\d+\b", gap["known"])) - counted)
        problems += [f"gaps.csv {gap['study_id']} {gap['endpoint']}: no fact has {found}" for found in missing]
    return problems


PLANTED = {
    readme_prints_the_coverage: [
        ("README.md", "| cr | 9 (338) |", "| cr | 9 (339) |"),
        ("responses.csv", "1 month,A,F0156", "1 month,B,F0156"),
        ("survival.csv", "median,,5.0,,,,false,8", "median,,5.0,,,,false,9"),
    ],
    gaps_are_generated: [
        ("gaps.md", "| Ma 2020 (9) |", "| Ma 2020 (8) |"),
        ("gaps.csv", "at most 11 of 18", "at most 12 of 18"),
        ("responses.csv", "hu_2017,hct_after,4,15", "hu_2017,hct_after,5,15"),
        ("survival.csv", "0.683,0.424,0.844", "0.683,0.424,0.845"),
    ],
    gaps_name_numbers_of_the_ledger: [
        ("gaps.csv", "36 % of 99 relapsed", "37 % of 99 relapsed"),
        ("gaps.csv", "122/147, 50/51", "122/147, 51/51"),
    ],
}
