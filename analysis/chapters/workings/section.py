"""The lower part of the report: caveats, models with their priors, diagnostics, and how to run it again."""

import platform
import shlex
from importlib.metadata import PackageNotFoundError, version

from analysis.cases.selection import ALL, choices, early_before
from analysis.drawing.html import Html, paragraphs, section, table, tag
from analysis.evidence.loading import DEFAULT_DATA
from analysis.results import facts
from analysis.results.numbers import counted, level_text, number, safe
from analysis.results.records import FAILED, Record
from analysis.results.results import Results
from models import all_models

_PACKAGES = ("pymc", "nutpie", "arviz", "numpy", "scipy", "matplotlib")


def caveat_section(results: Results) -> Html:
    """What limits the answer, as far as the results themselves tell."""
    return section("caveats", "What limits this answer", paragraphs(
        [*_shared_studies(results), *_fewer_studies(results), *_narrower(results), *_failed(results),
         *_few(results), *_early(results), *_survival(results)]))


def _shared_studies(results: Results) -> list[str]:
    if not results.comparisons or results.base.question.study_set != "review":
        return []
    return ["Both analyses rest on studies of the same review. Agreement shows that the published numbers can be "
            "reproduced from what the studies report; it is no independent confirmation."]


def _fewer_studies(results: Results) -> list[str]:
    found = {found.endpoint: found for found in facts.pooled_comparisons(results, primary=True)
             if (found.reported.subset or ALL) == ALL and found.reported.k_studies
             and found.reported.k_studies > found.pooled.k_studies}
    if not found:
        return []
    counts = "; ".join(f"{facts.endpoint_label(results, name)} {item.pooled.k_studies} of {item.reported.k_studies}"
                       for name, item in found.items())
    return [f"Fewer studies than published have a usable number in the evidence: {counts}."]


def _failed(results: Results) -> list[str]:
    names = [facts.fit_name(results, record) for record in results.failed]
    status = " or ".join(dict.fromkeys(record.status for record in results.failed))
    return [f"{status}, and therefore without a result: {'; '.join(names)}."] if names else []


def _narrower(results: Results) -> list[str]:
    found = [row for row in results.comparisons if row.width_ratio is not None and row.reported.primary]
    narrower = [row for row in found if row.width_ratio < 1.0]
    if not narrower:
        return []
    return [f"Our interval is the narrower one in {len(narrower)} of {len(found)} comparisons. Width is no measure "
            f"of quality here: a credible interval uses a prior for the heterogeneity, an exact confidence interval "
            f"covers all its values, and the studies differ."]


def _few(results: Results) -> list[str]:
    few = [endpoint.label for endpoint in facts.fitted_endpoints(results)
           if (found := results.headline(endpoint.endpoint)).estimates and found.k_studies <= 2]
    return [f"With at most two studies, heterogeneity and prediction are dominated by the prior: {'; '.join(few)}."] \
        if few else []


def _early(results: Results) -> list[str]:
    notes = []
    for record in results.records:
        question = record.job.question
        headline = results.headline(question.endpoint, question.subset)
        estimand = "survival"
        rows = facts.estimate(headline, estimand), facts.estimate(record, estimand)
        if not question.early_landmarks and all(rows):
            label, scale = facts.endpoint_label(results, question.endpoint), results.scale(question.endpoint)
            months = early_before(rows[0]["time_months"])
            notes.append(f"{label}: survival printed before {months:g} months is extrapolated with a constant hazard; "
                         f"without such rows the result is {facts.worded(rows[1], scale)} "
                         f"({counted(record.k_studies, 'study', 'studies')}) instead of {facts.worded(rows[0], scale)} "
                         f"({counted(headline.k_studies, 'study', 'studies')}).")
    return notes


def _survival(results: Results) -> list[str]:
    if not any(record.conversions for record in results.records):
        return []
    return ["Survival is modelled with a constant hazard in each study. Where curves fall early and then flatten, "
            "results far from the printed time points are less certain than their intervals say."]


def method_section(results: Results) -> Html:
    """The models that were used, with their priors as used."""
    used: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}
    for record in results.records:
        if record.priors:
            key = record.model, tuple(record.priors.items())
            used[key] = used.get(key, 0) + 1
    known = all_models()
    rows = [(model.replace("_", "-"), known[model].summary, known[model].likelihood,
             "; ".join(f"{name} ~ {prior}" for name, prior in priors), f"{count}")
            for (model, priors), count in used.items()]
    kinds = facts.kinds(results)
    own = " or ".join(word for kind, word in (("rate", "rate"), ("survival", "hazard")) if kind in kinds)
    text = (f"Every study has its own {own}, drawn from a distribution over studies; the pooled estimate, its credible "
            f"interval and the prediction for a new study follow from the posterior. Intervals are equal-tailed, "
            f"{level_text(results.base.level)}; estimates are posterior medians, so that they are the same on every "
            f"scale. An estimate and its limits have the same decimals, as many as the width of the interval calls "
            f"for. Pooled numbers are those of quadrature, with which sampling has to agree. The tables beside this "
            f"page hold all digits.")
    return section("method", "Method", tag("p", text) if rows else "", table(
        "Models and priors", ("Model", "What it is", "Likelihood", "Priors", "Fits"), rows, left=4))


def diagnostics_section(results: Results) -> Html:
    """The worst value of each diagnostic in every fit, failures first."""
    order = {FAILED: 0, "NOT CONVERGED": 0, "not pooled": 1, "no studies": 1}
    found = sorted(results.records, key=lambda record: order.get(record.status, 2))
    heads = ("Endpoint, subset, fit", "Status", "R-hat", "Bulk ESS", "Tail ESS", "Divergences", "E-BFMI",
             "MCSE mean / SD", "MCSE limit / SD", "same, heterogeneity", "Chains x draws", "Seed")
    rows = [_diagnostic_cells(results, record) for record in found]
    converged = sum(1 for record in found if record.status == "converged")
    text = f"{converged} of {counted(len(found), 'fit')} converged. A fit that fails a diagnostic has no result."
    return section("diagnostics", "Diagnostics", tag("p", text) if found else "", table(
        "Worst value over all reported quantities of each fit", heads, rows, left=2,
        marked=["failed" if record.failed else None for record in found]))


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
    found = [f"Python {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return found
