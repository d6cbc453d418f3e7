"""Models with their priors, diagnostics, and how to run it again."""

import platform
import shlex
from collections import Counter
from dataclasses import replace
from importlib.metadata import version
from importlib.util import find_spec

from analysis.cases.case import own_priors
from analysis.cases.selection import choices
from analysis.chapters.chapter import Chapter
from analysis.drawing.html import Html, join, rendered, section, show, table, tag
from analysis.evidence.loading import DEFAULT_DATA
from analysis.results.numbers import MISSING, counted, safe
from analysis.results.records import FAILED
from analysis.results.results import Results
from analysis.results.tables import DIAGNOSTICS, priors_text
from models import all_models

_PACKAGES = ("pymc", "nutpie", "arviz", "numpy", "scipy", "matplotlib")
_ORDER = {FAILED: 0, "NOT CONVERGED": 0, "not pooled": 1, "no studies": 1}


def _method(results: Results) -> Html:
    """The models that were used, with their priors as used."""
    models = all_models()
    used = Counter((record.model, priors_text(record.priors)) for record in results.records if record.priors)
    curves = dict.fromkeys((row["model"], row["endpoint"], row["subset"])
                           for row in results.computed("survival_curves.csv"))
    used += Counter((name, priors_text(own_priors(models[name], replace(results.base, model=name))))
                    for name, *_ in curves if name not in {record.model for record in results.records})
    rows = [(name.replace("_", "-"), models[name].summary or "not described", models[name].likelihood, priors,
             f"{count}") for (name, priors), count in used.items()]
    each = " or ".join(word for kind, word in (("rate", "rate"), ("survival", "hazard")) if kind in results.kinds)
    words = rendered("chapters/workings/section.html", method=True, each=each, level=results.labels.level,
                     curves=curves)
    return section("method", "Method", words if rows else "", table(
        "Models and priors", ("Model", "What it is", "Likelihood", "Priors", "Fits"), rows, numeric=(4,)))


def _diagnostics(results: Results) -> Html:
    """The worst value of each diagnostic in every fit, failures first."""
    rows = [{"fit": results.fit_name(record), **record.diagnostics, "record": record}
            for record in sorted(results.records, key=lambda record: _ORDER.get(record.status, 2))]
    converged = sum(record.status == "converged" for record in results.records)
    words = rendered("chapters/workings/section.html", method=False, converged=converged, fits=len(rows))
    return section("diagnostics", "Diagnostics", words if rows else "", show(
        results.writer(DIAGNOSTICS), rows, "fit status max_rhat min_ess_bulk min_ess_tail divergences min_bfmi "
        "max_mcse_mean max_mcse_limit max_mcse_limit_heterogeneity chains seed", heads={"fit": "Endpoint, subset, fit"},
        cells={"status": lambda row: ": ".join(filter(None, [row["record"].status, row.get("failures")])),
               "chains": lambda row: f"{row['chains']} x {row['draws']}" if row.get("draws") else MISSING},
        caption="Worst value over all reported quantities of each fit",
        marked=lambda row: "failed" if row["record"].failed else None))


def _reproduce(results: Results) -> Html:
    """The command, the seed, the digest of the data and the versions."""
    rows = [("Command", tag("code", command(results))), ("Seed of the run", f"{results.base.seed}"),
            ("Level of the intervals", results.labels.level),
            ("Evidence", "; ".join([counted(len(results.evidence.studies), "study"),
                                    *choices(results.evidence, results.base.question)])),
            ("SHA-256 of the evidence tables", tag("code", results.evidence.sha256, class_="digest")),
            ("Versions", ", ".join(_versions()))]
    return section("reproduce", "Run it again", table("What this page was computed from", ("What", "Value"), rows))


def command(results: Results) -> str:
    """The command that repeats the run; the evidence directory as it was named, unless it is this project's own."""
    base, question = results.base, results.base.question
    parts = ["python", "-m", "analysis", "report", "--seed", str(base.seed)]
    if results.evidence.directory != DEFAULT_DATA:
        parts += ["--data", safe(results.evidence.directory)]
    parts += ["--tiers", question.tiers] if question.tiers != "AB" else []
    parts += ["--set", question.study_set] if question.study_set != "review" else []
    parts += [word for name in question.without for word in ("--without", name)]
    parts += ["--retrospective"] if question.retrospective else []
    parts += ["--level", f"{base.level:.15g}"] if base.level != 0.95 else []
    parts += ["--horizon", f"{base.question.horizon:.15g}"] if base.question.horizon else []
    parts += [word for name, prior in base.priors for word in ("--prior", f"{name}={prior}")]
    parts += ["--quick"] if results.stamp == "QUICK" else []
    return shlex.join([*parts, "--output", "NEW_FOLDER"])


def _versions() -> list[str]:
    return [f"Python {platform.python_version()}",
            *(f"{name} {version(name)}" for name in _PACKAGES if find_spec(name))]


CHAPTER = Chapter("workings", 140, section=lambda results, page: join(
    [_method(results), _diagnostics(results), _reproduce(results)], "\n\n"))
