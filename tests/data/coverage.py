"""Coverage table of README.md and every cell of gaps.md agree with the decision tables."""

import re
from collections.abc import Iterator

from . import readme
from .tables import Data, Row, number, repeated, token

GROUPS = (("review", "true"), ("extension", "false"))
TIERS = ("A", "AB", "ABC")


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


def _gaps(data: Data) -> Iterator[tuple[str, Row, str, str]]:
    """Every cell of gaps.md with its group, study and endpoint."""
    labels = {f"{row['label']} ({row['n_treated']})": row for row in data["studies"]}
    sections = (("review", "# What is known and what is missing"), ("extension", "## Extension studies"))
    for group, heading in sections:
        header, *rows = readme.tables(readme.section(data.text("gaps.md"), heading))[0]
        for label, *cells in rows:
            for endpoint, cell in zip(header[1:], cells, strict=True):
                yield group, labels.get(label, {"study_id": label}), endpoint, cell


def gaps_list_every_study_and_endpoint_once(data: Data) -> list[str]:
    flags = dict(GROUPS)
    wanted = {(group, row["study_id"], endpoint) for group, flag in flags.items() for row in data["studies"]
              if row["in_review"] == flag for endpoint in data.endpoints}
    found = [(group, study["study_id"], endpoint) for group, study, endpoint, _ in _gaps(data)]
    problems = [f"gaps.md: {key} {'missing' if key in wanted else 'unknown'}" for key in sorted(wanted ^ set(found))]
    return problems + [f"gaps.md: {key} twice" for key in repeated(found)]


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


def gaps_print_every_decision(data: Data) -> list[str]:
    problems = []
    for _, study, endpoint, cell in _gaps(data):
        keys = (study["study_id"], endpoint)
        counts = [f"{row['events']}/{row['n']} **{row['tier']}**" for row in data["responses"]
                  if (row["study_id"], row["endpoint"]) == keys]
        curves = [_survival_words(row) for row in data["survival"] if (row["study_id"], row["endpoint"]) == keys]
        expected = "; ".join(counts + curves)
        fits = cell == expected if expected else re.fullmatch(r"\*[^*]+\*", cell)
        if not fits:
            problems.append(f"gaps.md {' '.join(keys)}: {cell!r}, the tables have {expected or 'no row'!r}")
    return problems


def gaps_name_numbers_of_the_ledger(data: Data) -> list[str]:
    """Percentages, and counts of a base, in a cell without a decision are facts of the study."""
    problems = []
    for _, study, endpoint, cell in _gaps(data):
        if "**" in cell:
            continue
        facts = [fact for fact in data["extraction"] if fact["study_id"] == study["study_id"]]
        printed = {fact["value"] for fact in facts if fact["endpoint"] == endpoint and "percent" in fact["quantity"]}
        counted = {f"{fact['value']}/{fact['denominator']}" for fact in facts}
        named = set(re.findall(r"(\d[\d.]*) (?:%|or \d+ %)", cell))
        missing = sorted(named - printed) + sorted(set(re.findall(r"\b\d+/\d+\b", cell)) - counted)
        problems += [f"gaps.md {study['study_id']} {endpoint}: no fact has {found}" for found in missing]
    return problems


PLANTED = {
    readme_prints_the_coverage: [
        ("README.md", "| cr | 9 (338) |", "| cr | 9 (339) |"),
        ("responses.csv", "1 month,A,F0156", "1 month,B,F0156"),
        ("survival.csv", "median,,5.0,,,,false,8", "median,,5.0,,,,false,9"),
    ],
    gaps_list_every_study_and_endpoint_once: [
        ("gaps.md", "| Ma 2020 (9) |", "| Ma 2020 (8) |"),
        ("gaps.md", "| Ma 2020 (9) |", "| Li 2018 (10) |"),
    ],
    gaps_print_every_decision: [
        ("gaps.md", "| 45/53 **A** | 14/53 **A** |", "| 45/53 **A** | 14/53 **B** |"),
        ("gaps.md", "| OS 56 % at 4.14 mo **A** |", "| OS 56 % at 4.1 mo **A** |"),
        ("gaps.md", "OS median 31.0 mo (10.6-not reached) **A**", "*not found*"),
        ("responses.csv", "hu_2017,hct_after,4,15", "hu_2017,hct_after,5,15"),
        ("survival.csv", "0.683,0.424,0.844", "0.683,0.424,0.845"),
    ],
    gaps_name_numbers_of_the_ledger: [
        ("gaps.md", "*36 % of 99 relapsed", "*37 % of 99 relapsed"),
        ("gaps.md", "*122/147, 50/51", "*122/147, 51/51"),
    ],
}
