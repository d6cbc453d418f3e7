"""The headline table as it was last accepted: `python -m tests.golden.headline --write` makes it anew.

The table is a record of what the shipped evidence, models and seed gave, not an input of anything. README shows the
same numbers, as a table and as a figure. It changes only with the evidence, a model or the seed, and each change is
looked at.
"""

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

from analysis import load
from analysis.cases.settings import ALL
from analysis.chapters.published.figure import draw_published
from analysis.drawing.style import styled
from analysis.results.numbers import interval_text, printed_with_interval, with_unit
from analysis.results.writing import Labels
from tests.report.reading import csv_rows

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("headline.csv")
FIGURE = Path(__file__).with_name("headline.svg")
README = ROOT / "README.md"
UNIT = "probability"
FIRST = {"rate": "mean_rate", "survival": "survival"}
COLUMNS = ("endpoint", "estimand", "time_months", "k_studies", "n_patients", "mean", "sd", "median", "lower", "upper",
           "mcse", "max_mcse_limit", "max_mcse_limit_heterogeneity")
MARKS = ("<!-- headline: written by `python -m tests.golden.headline --write` -->", "<!-- /headline -->")


def rows_of(folder: Path) -> list[dict[str, str]]:
    """Pooled headline estimates of a finished run, with the Monte-Carlo error of their interval ends."""
    def table(name: str) -> list[dict[str, str]]:
        return [row for row in csv_rows(folder / name) if row["subset"] == "all" and row["tiers"] == "AB"
                and row["model"] != "logit_normal" and row["early_landmarks"] == "true"]

    errors = {row["endpoint"]: row for row in table("diagnostics.csv")}
    pooled = [row for row in table("estimates.csv") if not row["study_id"]]
    return [{name: {**errors[row["endpoint"]], **row}[name] for name in COLUMNS} for row in pooled]


def golden() -> list[dict[str, str]]:
    """The accepted table."""
    return csv_rows(GOLDEN)


def beside_published(rows: list[dict[str, str]]) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Each headline number with the row of what was published of it."""
    published = {row["endpoint"]: row for row in csv_rows(ROOT / "data" / "reported.csv")
                 if row["primary"] == "true" and row["subset"] == "all" and row["ci_low"]
                 and row["statistic"] in {"mean_probability", "survival_12m"}}
    return [(row, published[row["endpoint"]]) for row in rows
            if row["endpoint"] in published and row["estimand"] in FIRST.values()]


def readme_table(rows: list[dict[str, str]]) -> str:
    """The accepted headline as README shows it, beside what was published."""
    labels = {row["endpoint"]: row["label"] for row in csv_rows(ROOT / "data" / "endpoints.csv")}
    lines = ["| endpoint | published, confidence interval (studies) | reanalysis, credible interval (studies) |",
             "|---|---|---|"]
    for row, theirs in beside_published(rows):
        at = f" at {float(row['time_months']):g} months" if row["time_months"] else ""
        printed = printed_with_interval(*(float(theirs[name]) for name in ("estimate", "ci_low", "ci_high")), UNIT)
        ours = interval_text(*(float(row[name]) for name in ("median", "lower", "upper")), UNIT)
        lines.append(f"| {labels[row['endpoint']]}{at} | {with_unit(printed, UNIT)} ({theirs['k_studies']}) | "
                     f"{with_unit(ours, UNIT)} ({row['k_studies']}) |")
    return "\n".join(lines)


def draw(rows: list[dict[str, str]], path: Path) -> None:
    """README's figure of the same numbers, drawn by the report's own function."""
    comparisons = pd.DataFrame([{
        "endpoint": row["endpoint"], "our_endpoint": row["endpoint"], "subset": ALL, "units": UNIT, "primary": True,
        **{f"published{end}": float(theirs[name]) for end, name in (
            ("", "estimate"), ("_lower", "ci_low"), ("_upper", "ci_high"), ("_level", "level"))},
        "published_k": int(theirs["k_studies"]), "published_n": int(theirs["n_patients"] or 0) or None,
        **{name: float(row[name]) for name in ("median", "lower", "upper")}, "level": 0.95,
        "time_months": float(row["time_months"]) if row["time_months"] else None,
        **{name: int(row[name]) for name in ("k_studies", "n_patients")}} for row, theirs in beside_published(rows)
    ]).astype({"published_n": "Int64"})
    evidence = load(ROOT / "data")
    labels = Labels({endpoint.endpoint: endpoint.label for endpoint in evidence.endpoints}, {ALL: "All studies"})
    with styled(**{"svg.hashsalt": "headline"}):
        draw_published(comparisons, labels=labels).savefig(path, format="svg", metadata={"Date": None})


def with_table(text: str, table: str) -> str:
    """README with the table between its marks."""
    head, rest = text.split(MARKS[0])
    return f"{head}{MARKS[0]}\n{table}\n{MARKS[1]}{rest.split(MARKS[1])[1]}"


def main() -> int:
    """Run the report, show what changed, and accept it with --write."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, "-m", "analysis", "report", "--json", "--output", folder], cwd=ROOT,
                              stdout=subprocess.PIPE, check=True)
        assert json.loads(done.stdout)["converged"]
        rows = rows_of(Path(folder))
    if "--write" not in sys.argv:
        print(readme_table(rows))
        return 0
    with GOLDEN.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, FIGURE)
    README.write_text(with_table(README.read_text(encoding="utf-8"), readme_table(rows)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
