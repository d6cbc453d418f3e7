"""The pinned summary of coverage: `python -m tests.golden.coverage DIR` takes it from a run's folder.

DIR is the output of `recart calibrate --coverage` with the shipped evidence and default settings. README shows the
summary; the record also holds tallies of the first sets of three studies, which a test computes again.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from analysis.cases.settings import Question
from analysis.evidence.loading import DEFAULT_DATA, load
from analysis.simulation.coverage import (
    LEAST,
    LEVEL,
    MEANS,
    OTHER_RHO,
    RHOS,
    STUDIES,
    run_batch,
    summaries,
    worlds,
)
from analysis.simulation.limits import SCORED
from analysis.simulation.studies import design_of, select_design
from analysis.system.files import as_json

RECORD = Path(__file__).with_name("coverage.json")
README = Path(__file__).resolve().parents[2] / "README.md"
MARKS = ("<!-- coverage: written by `python -m tests.golden.coverage DIR` -->", "<!-- /coverage -->")
_TEXTS, _SEED, _FIRST = {"law", "method", "label", "estimand"}, 1, 4


def first_tallies(sizes: list[int]) -> dict[str, list[float]]:
    """Intervals that cover, lie below and above, and the sum of widths, over the first sets of all worlds."""
    _, tallies = run_batch("", worlds(sizes, studies=(3,)), 0, _FIRST, _SEED)
    return dict(zip(SCORED, np.sum(tallies, axis=0).tolist(), strict=True))


def readme_block(record: dict[str, Any]) -> str:
    """The summary as README shows it."""
    every, worlds = record["summaries"], record["summaries"][0]["worlds"]
    means, rhos, studies = (", ".join(f"{value:g}" for value in values) for values in (MEANS, RHOS, STUDIES))
    lines = [f"{record['sets']} sets each of {studies} studies, sized as those of `{record['endpoint']}`; mean rate "
             f"{means}; beta-binomial rates with an intraclass correlation of {rhos}, and logit-normal rates with "
             f"{OTHER_RHO:g}. Too low: worlds with less coverage than chance explains, of which a right interval would "
             f"have {LEAST * worlds:.2g}. In the {len(MEANS) * len(RHOS) * len(STUDIES)} beta-binomial worlds "
             f"intervals of the logit-normal family, and those on logits, rest on another law.\n",
             f"| {100 * LEVEL:g} % interval | for the | coverage in {worlds} worlds | mean width | too low in |",
             "|---|---|---|---|---|"]
    lines += [f"| {row['label']} | {row['estimand'].replace('_', ' ')} | {100 * row['lowest']:.0f} to "
              f"{100 * row['highest']:.0f} %, average {100 * row['average']:.1f} % | {100 * row['width']:.0f} points | "
              f"{row['short']} |" for row in every]
    return "\n".join([MARKS[0], *lines, MARKS[1]])


def with_block(text: str, record: dict[str, Any]) -> str:
    """README with the summary between its marks."""
    return text.split(MARKS[0])[0] + readme_block(record) + text.split(MARKS[1])[1]


def main(folder: Path) -> None:
    """Write the record and README's block."""
    with (folder / "coverage.csv").open(newline="", encoding="utf-8") as file:
        rows = [{name: value if name in _TEXTS else float(value) for name, value in row.items()}
                for row in csv.DictReader(file)]
    design = design_of(select_design(load(DEFAULT_DATA), "beta_binomial", Question("")))
    sizes = design.studies.evaluable.tolist()
    record = {"endpoint": design.endpoint, "sizes": sizes, "sets": int(rows[0]["sets"]), "seed": _SEED,
              "summaries": summaries(rows), "first": first_tallies(sizes)}
    RECORD.write_text(as_json(record) + "\n", encoding="utf-8")
    README.write_text(with_block(README.read_text(encoding="utf-8"), json.loads(RECORD.read_text())), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
