"""`predict`: whether a further study's number is expected, and what it would move."""

import argparse
from pathlib import Path

from analysis.cases.case import case_of
from analysis.cases.reports import new_report
from analysis.commands.arguments import base_job
from analysis.commands.printing import heading, of_posterior, print_json, print_notes, refuse_horizon
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.inference.further import Further, answered
from analysis.output import adding
from analysis.results.predicted import PREDICTED, fields, predicted_rows, sentences
from analysis.results.terminal import estimand, table, with_limits
from analysis.system.errors import one_line

_REPORT = ("n", "events", "landmark", "survival", "median")


def run(options: argparse.Namespace) -> int:
    """Predict, print, write the distribution and a figure of it where --output asks for them."""
    evidence = load(options.data)
    answer = predicted_as_asked(evidence, options)
    case, figure = answer.case, f"figures/predicted.{options.endpoint}"
    names = [PREDICTED.file, f"{figure}.svg", f"{figure}.png"]
    with adding(options.output, data=options.data, run=f"predict {options.endpoint}", names=names) as folder:
        if folder:
            _write(answer, folder, figure)
    if options.json:
        print_json({**of_posterior(evidence, case), **fields(answer)})
        return 0
    print(shown(evidence, answer))
    print_notes(case.selection.warnings, [])
    for name in names if options.output else ():
        print(one_line(str(options.output / name)))
    return 0


def predicted_as_asked(evidence: Evidence, options: argparse.Namespace) -> Further:
    """The answer that the options ask for.

    Raises
    ------
    UsageError
        When they do not go together, no study answers, or there is no posterior to predict from.
    """
    case = case_of(evidence, base_job(options, options.endpoint))
    row = new_report(options.endpoint, case.model.kind, **{name: getattr(options, name) for name in _REPORT})
    refuse_horizon(case.question, case.model.kind)
    return answered(case, row)


def shown(evidence: Evidence, answer: Further) -> str:
    """The answer for a terminal."""
    case = answer.case
    rows = [[estimand(vars(before)), *(with_limits(one.median, one.lower, one.upper, one.unit)
                                       for one in (before, after))]
            for before, after in zip(answer.before, answer.after, strict=True)]
    return "\n".join([heading(evidence, case.question, case.model.name, case.priors, case.studies), "",
                      *sentences(answer), "", table(("estimand", "without it", "with it"), rows)])


def _write(answer: Further, folder: Path, figure: str) -> None:
    from analysis.drawing.predicted import draw_predicted
    from analysis.drawing.saving import save_figure

    rows, case = PREDICTED.table(predicted_rows(answer)), answer.case
    rows.write(folder)
    save_figure(draw_predicted(
        rows.frame, title=f"{case.selection.endpoint.label}: {answer.report.report}",
        reported=answer.report.observed, limits=(answer.expectation.lower, answer.expectation.upper),
        axis="rate of a further study" if case.model.kind == "rate" else f"survival at {answer.report.months:g} months",
        notes=sentences(answer)), folder / figure)
