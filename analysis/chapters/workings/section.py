"""The lower part of the report: caveats, models with their priors, diagnostics, and how to run it again."""

import platform
import shlex
from importlib.metadata import version
from importlib.util import find_spec

from analysis.cases.selection import choices
from analysis.drawing.html import Html, rendered, section, table, tag
from analysis.evidence.loading import DEFAULT_DATA
from analysis.results import facts
from analysis.results.numbers import counted, level_text, number, safe
from analysis.results.records import FAILED, Record
from analysis.results.results import Results
from models import all_models

_PACKAGES = ("pymc", "nutpie", "arviz", "numpy", "scipy", "matplotlib")


def method_section(results: Results) -> Html:
    """The models that were used, with their priors as used."""
    used: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
    for record in results.records:
        if record.priors:
            key = record.model, tuple(record.priors.items())
            used[key] = used.get(key, 0) + 1
    known = all_models()
    rows = [(model.replace("_", "-"), known[model].summary or "not described", known[model].likelihood,
             "; ".join(f"{name} ~ {prior}" for name, prior in priors), f"{count}")
            for (model, priors), count in used.items()]
    each = " or ".join({"rate": "rate", "survival": "hazard"}[kind] for kind in ("rate", "survival")
                       if kind in facts.kinds(results))
    words = rendered("chapters/workings/section.html", method=True, each=each, level=level_text(results.base.level))
    return section("method", "Method", words if rows else "", table(
        "Models and priors", ("Model", "What it is", "Likelihood", "Priors", "Fits"), rows, left=4))


def diagnostics_section(results: Results) -> Html:
    """The worst value of each diagnostic in every fit, failures first."""
    order = {FAILED: 0, "NOT CONVERGED": 0, "not pooled": 1, "no studies": 1}
    records = sorted(results.records, key=lambda record: order.get(record.status, 2))
    heads = ("Endpoint, subset, fit", "Status", "R-hat", "Bulk ESS", "Tail ESS", "Divergences", "E-BFMI",
             "MCSE mean / SD", "MCSE limit / SD", "same, heterogeneity", "Chains x draws", "Seed")
    rows = [_diagnostic_cells(results, record) for record in records]
    converged = sum(record.status == "converged" for record in records)
    words = rendered("chapters/workings/section.html", method=False, converged=converged, fits=len(records))
    return section("diagnostics", "Diagnostics", words if records else "", table(
        "Worst value over all reported quantities of each fit", heads, rows, left=2,
        marked=["failed" if record.failed else None for record in records]))


def _diagnostic_cells(results: Results, record: Record) -> tuple[str, ...]:
    row = record.diagnostics
    status = f"{record.status}: {row.get('failures')}" if row.get("failures") else record.status

    def cell(column: str, form: str) -> str:
        value = row.get(column)
        return number(None, "") if value is None else format(value, form)

    draws = f"{row['chains']} x {row['draws']}" if row.get("draws") else number(None, "")
    return (facts.fit_name(results, record), status, cell("max_rhat", ".4f"), cell("min_ess_bulk", ",.0f"),
            cell("min_ess_tail", ",.0f"), cell("divergences", "d"), cell("min_bfmi", ".2f"),
            cell("max_mcse_mean", ".3f"), cell("max_mcse_limit", ".3f"),
            cell("max_mcse_limit_heterogeneity", ".3f"), draws, cell("seed", "d"))


def reproduce_section(results: Results) -> Html:
    """The command, the seed, the digest of the data and the versions."""
    rows = [("Command", tag("code", command(results))), ("Seed of the run", f"{results.base.seed}"),
            ("Level of the intervals", level_text(results.base.level)),
            ("Evidence", "; ".join([counted(len(results.evidence.studies), "study", "studies"),
                                    *choices(results.evidence, results.base.question)])),
            ("SHA-256 of the evidence tables", tag("code", results.evidence.sha256, class_="digest")),
            ("Versions", ", ".join(_versions()))]
    return section("reproduce", "Run it again", table("What this page was computed from", ("What", "Value"), rows,
                                                      left=2))


def command(results: Results) -> str:
    """The command that repeats the run; the evidence directory as it was named, unless it is this project's own."""
    base, question = results.base, results.base.question
    parts = ["python", "-m", "analysis", "report", "--seed", str(base.seed)]
    if results.evidence.directory != DEFAULT_DATA:
        parts += ["--data", safe(results.evidence.directory)]
    parts += ["--tiers", question.tiers] if question.tiers != "AB" else []
    parts += ["--set", question.study_set] if question.study_set != "review" else []
    for name in question.without:
        parts += ["--without", name]
    parts += ["--retrospective"] if question.retrospective else []
    parts += ["--level", f"{base.level:g}"] if base.level != 0.95 else []
    parts += ["--horizon", f"{base.question.horizon:g}"] if base.question.horizon else []
    for name, prior in base.priors:
        parts += ["--prior", f"{name}={prior}"]
    parts += ["--quick"] if results.stamp == "QUICK" else []
    return shlex.join([*parts, "--output", "NEW_FOLDER"])


def _versions() -> list[str]:
    known = (f"{name} {version(name)}" for name in _PACKAGES if find_spec(name))
    return [f"Python {platform.python_version()}", *known]
