"""`predict`: whether a further study's number is expected, and what it would move."""

import argparse
from typing import TYPE_CHECKING

from analysis.cases.case import case_of
from analysis.cases.reports import new_report
from analysis.commands.arguments import base_job
from analysis.commands.printing import (
    heading,
    load_and_note,
    of_posterior,
    print_json,
    print_notes,
    refuse_horizon,
    write_with_figure,
)
from analysis.evidence.directory import Evidence
from analysis.inference.further import Further, answered
from analysis.results.predicted import PREDICTED, fields, predicted_rows, sentences
from analysis.results.terminal import estimand, table, with_limits

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_REPORT = ("n", "events", "landmark", "survival", "median")


def run(options: argparse.Namespace) -> int:
    """Predict, print, write the distribution and a figure of it where --output asks for them."""
    evidence = load_and_note(options.data, options.endpoint)
    answer = predicted_as_asked(evidence, options)
    written = write_with_figure(options, PREDICTED, predicted_rows(answer), lambda frame: _figure(answer, frame))
    if options.json:
        print_json({**of_posterior(evidence, answer.case), **fields(answer)})
    else:
        print("\n".join([shown(evidence, answer), *written]))
        print_notes(answer.case.selection.warnings, [])
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
    rows = [[estimand(vars(before)), *(with_limits(estimate.median, estimate.lower, estimate.upper, estimate.unit)
                                       for estimate in (before, after))]
            for before, after in zip(answer.before, answer.after, strict=True)]
    return "\n".join([heading(evidence, case.question, case.model.name, case.priors, case.studies), "",
                      *sentences(answer), "", table(("estimand", "without it", "with it"), rows)])


def _figure(answer: Further, frame: "pd.DataFrame") -> "Figure":
    from analysis.drawing.trial import draw_predicted

    return draw_predicted(frame, answer)
