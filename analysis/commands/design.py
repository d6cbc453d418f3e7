"""`design`: the next trial planned from these studies: a prior, what it is worth, and how a rule would fare."""

import argparse
from typing import TYPE_CHECKING

from analysis.cases.selection import candidates
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
from analysis.planning.plans import Design, designed
from analysis.planning.settings import ROBUST, Plan
from analysis.results.design import (
    OPERATING,
    fields,
    in_pymc,
    in_r,
    operating_rows,
    sentences,
    shown_columns,
    told_rows,
)
from analysis.results.terminal import show
from analysis.system.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def run(options: argparse.Namespace) -> int:
    """Plan, print, write the operating characteristics and a figure where --output asks for them."""
    evidence = load_and_note(options.data, options.endpoint)
    design = designed_as_asked(evidence, options)
    written = write_with_figure(options, OPERATING, operating_rows(design), lambda frame: _figure(design, frame))
    if options.json:
        print_json({**of_posterior(evidence, design.case), **fields(design)})
    else:
        print("\n".join([shown(evidence, design), *written]))
        print_notes(design.case.selection.warnings, [])
    return 0


def designed_as_asked(evidence: Evidence, options: argparse.Namespace) -> Design:
    """The design that the options ask for.

    Raises
    ------
    UsageError
        When they do not go together, no study answers, or there is no posterior to predict from.
    """
    job = base_job(options, options.endpoint)
    refuse_horizon(job.question, candidates(evidence, job.question).endpoint.kind)
    return designed(evidence, job, _plan(options))


def _plan(options: argparse.Namespace) -> Plan:
    """The plan that the options ask for, none of them without effect."""
    if options.robust is not None and options.analysis != ROBUST:
        raise UsageError(f"--robust {options.robust:g} is the weight of the vague component of the robust prior, and "
                         f"--analysis {options.analysis} takes another one; leave one of them out")
    if options.futility is not None and options.look is None:
        raise UsageError(f"--futility {options.futility:g} is for an interim look; say after how many patients with "
                         "--look M, or leave it out")
    chosen = {name: value for name in ("robust", "futility") if (value := getattr(options, name)) is not None}
    return Plan(options.n, options.threshold, options.confidence, options.analysis, target=options.assurance,
                look=options.look, **chosen)


def shown(evidence: Evidence, design: Design) -> str:
    """The design for a terminal."""
    case = design.case
    return "\n".join([heading(evidence, case.question, case.model.name, case.priors, case.studies), "",
                      *sentences(design), "", show(OPERATING, told_rows(design), shown_columns(design)), "",
                      f"R (RBesT): {in_r(design.prior)}", f"PyMC: {in_pymc(design.prior)}"])


def _figure(design: Design, frame: "pd.DataFrame") -> "Figure":
    from analysis.drawing.trial import draw_design

    return draw_design(frame, design)
