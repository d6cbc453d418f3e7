"""`calibrate --coverage`: how often every interval for a pooled rate holds fixed truths."""

import argparse
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from analysis.cases.selection import Selection
from analysis.commands.arguments import question_of
from analysis.commands.printing import asked, figure_files, places, print_json, print_notes
from analysis.evidence.loading import load
from analysis.output import adding
from analysis.output.manifests import read_json
from analysis.results.numbers import counted
from analysis.results.tables import left_out_rows, without_question
from analysis.results.terminal import table
from analysis.simulation.batches import several
from analysis.simulation.coverage import COVERAGE, LEAST, LEVEL, World, simulate, summaries, worlds
from analysis.simulation.limits import SCORED
from analysis.simulation.settings import COVERAGE_REPLICATES
from analysis.simulation.studies import design_of, select_design
from analysis.system.errors import OutputError, UsageError
from analysis.system.files import as_json, write_text
from analysis.system.progress import Progress

UNFINISHED = ".coverage.json"
"""Batches of a run that did not end, in its folder."""


def run(options: argparse.Namespace) -> int:
    """Simulate, print a summary, write table and figure where --output asks for them."""
    for name in ("model", "fault", "prior"):
        if getattr(options, name):
            raise UsageError(f"--coverage takes every interval as it stands: leave out {name} {getattr(options, name)}")
    evidence = load(options.data)
    selection = select_design(evidence, "beta_binomial", question_of(options, options.endpoint or ""))
    sizes = [size for size in design_of(selection).studies.evaluable.tolist() if size]
    replicates = options.replicates or COVERAGE_REPLICATES
    every, names = worlds(sizes), [COVERAGE.file, *figure_files("coverage")]
    with adding(options.output, data=options.data, run="calibrate --coverage", names=names) as folder:
        unfinished = options.output / UNFINISHED if folder else None
        with several(options.processes, replicates, options.scheduler) as executor:
            rows = _simulated(every, replicates, options.seed, executor, unfinished)
        if folder:
            _write(rows, folder)
    if unfinished:
        unfinished.unlink(missing_ok=True)
    if options.json:
        print_json({**asked(evidence, selection.question, endpoint=selection.endpoint.endpoint),
                    "left_out": without_question(left_out_rows(selection)), "sizes": sizes, "replicates": replicates,
                    "seed": options.seed, "coverage": rows})
    else:
        _print(rows, every, selection, sizes)
    print_notes(selection.warnings, left_out_rows(selection),
                *(f"wrote {place}" for place in places(options, names)))
    return 0


def _simulated(every: list[World], replicates: int, seed: int, executor: Executor | None,
               unfinished: Path | None) -> list[dict[str, Any]]:
    """Rows of COVERAGE; finished batches are kept in the file, and those of the same settings are taken from it."""
    settings = {"seed": seed, "replicates": replicates, "intervals": list(SCORED),
                "worlds": [[world.law, world.mean, world.rho, list(world.sizes)] for world in every]}
    earlier = unfinished and read_json(unfinished) or {}
    if earlier and earlier.get("settings") != settings:
        raise OutputError(unfinished, "it holds what a run with other settings finished before it ended; repeat that "
                                      "run to its end, remove the file, or name another folder")
    progress, done = None, earlier.get("batches", {})

    def keep(tallies: dict[str, Any], name: str, total: int) -> None:
        nonlocal progress
        progress = progress or Progress(total - len(done))
        progress.step(name)
        if unfinished:
            write_text(unfinished, as_json({"settings": settings, "batches": tallies}))

    rows = list(simulate(every, replicates, seed=seed, executor=executor, done=done, keep=keep))
    if progress:
        progress.close()
    return rows


def _print(rows: list[dict[str, Any]], every: list[World], selection: Selection, sizes: list[int]) -> None:
    listed = {name: ", ".join(f"{value:g}" for value in sorted({getattr(world, name) for world in every}))
              for name in ("mean", "rho")}
    print(f"{len(every)} worlds: mean rate {listed['mean']}; rho {listed['rho']}; "
          f"{', '.join(map(str, sorted({len(world.sizes) for world in every})))} studies, sized as those of "
          f"{selection.endpoint.endpoint} ({min(sizes)} to {max(sizes)} patients); "
          f"{counted(rows[0]['sets'], 'set')} each, intervals of {100 * LEVEL:g} %\n")
    numbers = ("lowest", "average", "highest", "width")
    shown = [[row["label"], row["estimand"], *(f"{row[name]:.3f}" for name in numbers),
              f"{row['short']} of {row['worlds']}"] for row in summaries(rows)]
    print(table(["interval", "estimand", "lowest", "average", "highest coverage", "mean width", "too low in worlds"],
                shown))
    print(f"\ntoo low: less coverage than chance explains, of which a right interval would have "
          f"{LEAST * len(every):.2g} of {len(every)}")


def _write(rows: list[dict[str, Any]], folder: Path) -> None:
    from analysis.drawing.saving import save_figure
    from analysis.simulation.figures import draw_coverage

    COVERAGE.table(rows).write(folder)
    save_figure(draw_coverage(rows, summaries(rows)), folder / "coverage")
