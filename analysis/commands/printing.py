"""What commands print and write alike: one JSON object, or a heading above tables, notes on standard error; figures."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.cases.case import Case
from analysis.cases.selection import choices
from analysis.cases.settings import EXACT, Question
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.output import adding
from analysis.results.numbers import counted
from analysis.results.table import Layout
from analysis.results.terminal import left_out_lines
from analysis.system.errors import UsageError, one_line
from analysis.system.files import as_json
from models.studies import Studies

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SCHEMA_VERSION = 1
_MOST_NOTES = 20


def load_and_note(place: Path, endpoint: str = "") -> Evidence:
    """The evidence, once its notes are told on standard error: what is not read, or not read as a reader may think.

    Of one endpoint, if given, those that bear on it.
    """
    evidence = load(place)
    notes = evidence.notes_on(endpoint) if endpoint else evidence.notes
    for note in notes[:_MOST_NOTES]:
        print(f"note: {note}", file=sys.stderr)
    if more := len(notes[_MOST_NOTES:]):
        print(one_line(f"note: {counted(more, 'further note')}, which recart check --data {place} tells"),
              file=sys.stderr)
    return evidence


def print_json(content: Mapping[str, Any]) -> None:
    """One JSON object, led by the version of its fields."""
    print(as_json({"schema_version": _SCHEMA_VERSION, **content}))


def with_notes(evidence: Evidence, endpoint: str, warnings: Iterable[str]) -> list[str]:
    """The warnings of a JSON object: what its own numbers give reason for, then the notes that bear on its endpoint."""
    return list(dict.fromkeys([*warnings, *map(str, evidence.notes_on(endpoint))]))


def asked(evidence: Evidence, question: Question, **subject: Any) -> dict[str, Any]:
    """The fields that say of which evidence and rows a JSON object speaks; `subject` stands before the rows."""
    return {"data_sha256": evidence.sha256, **subject, "tiers": question.tiers, "set": question.study_set,
            "without": list(question.without), "retrospective": question.retrospective}


def of_posterior(evidence: Evidence, case: Case) -> dict[str, Any]:
    """The fields that say on which exact posterior a JSON object rests."""
    question = case.question
    return {**asked(evidence, question, endpoint=question.endpoint, model=case.model.name, subset=question.subset),
            "engine": EXACT, "priors": {name: str(prior) for name, prior in case.priors.items()},
            "n_studies": len(case.studies), "n_patients": case.studies.patients,
            "warnings": with_notes(evidence, question.endpoint, case.selection.warnings)}


def heading(evidence: Evidence, question: Question, model: str, priors: Mapping[str, Any], studies: Studies, *,
            more: Iterable[str] = (), stamp: str = "") -> str:
    """Endpoint, model, rows and priors, on two lines."""
    words = [model, f"subset {question.subset}", *choices(evidence, question),
             counted(len(studies), "study"), counted(studies.patients, "patient"), *more]
    return (f"{'QUICK (short chains)  ' if stamp else ''}{question.endpoint}: {', '.join(words)}\n"
            + "; ".join(f"{name} ~ {prior}" for name, prior in priors.items()))


def print_notes(warnings: Iterable[str], left_out: Iterable[Mapping[str, Any]], *more: str) -> None:
    """On standard error: what a reader should know, how many rows are left out and why, and further lines."""
    for line in (*(f"warning: {text}" for text in warnings), *left_out_lines(tuple(left_out)), *more):
        print(line, file=sys.stderr)


def refuse_horizon(question: Question, kind: str) -> None:
    """Raise UsageError where --horizon is asked of a rate."""
    if question.horizon and kind == "rate":
        raise UsageError(f"{question.endpoint} is a rate; --horizon is for survival endpoints")


def figure_files(stem: str) -> list[str]:
    """Names of the files that `save_figure` writes."""
    return [f"{stem}.svg", f"{stem}.png"]


def places(options: argparse.Namespace, names: Iterable[str]) -> list[str]:
    """Where files are, as the user names the folder; none without --output."""
    return [one_line(str(options.output / name)) for name in names if options.output]


def write_with_figure(options: argparse.Namespace, layout: Layout, rows: Iterable[Mapping[str, Any]],
                      draw: "Callable[[pd.DataFrame], Figure]") -> list[str]:
    """Write a table about one endpoint and its figure where --output asks for them; returns where they are."""
    layout = layout.about(options.endpoint)
    figure = f"figures/{layout.file.removesuffix('.csv')}"
    names = [layout.file, *figure_files(figure)]
    with adding(options.output, data=options.data, run=f"{options.command} {options.endpoint}", names=names) as folder:
        if folder:
            from analysis.drawing.saving import save_figure

            table = layout.table(rows)
            table.write(folder)
            save_figure(draw(table.frame), folder / figure)
    return places(options, names)
