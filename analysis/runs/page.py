"""The whole page: one file that needs no other, loads nothing, and is the same for the same results."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from string import Template

from analysis.chapters.differences.section import differences_section, models_section
from analysis.chapters.endpoints.answer import comparison_section, prediction_section, summary
from analysis.chapters.endpoints.remainder import left_out_section, remainder_section
from analysis.chapters.endpoints.section import endpoint_section
from analysis.chapters.influence.section import influence_section, small_studies_section, subsets_section
from analysis.chapters.missing.section import missing_section
from analysis.chapters.regression.section import regression_block, regression_section
from analysis.chapters.sensitivity.section import sensitivity_block, sensitivity_section
from analysis.chapters.workings.section import caveat_section, diagnostics_section, method_section, reproduce_section
from analysis.drawing.html import Html, folded, image, join, tag, text
from analysis.drawing.names import FigureId
from analysis.evidence import Endpoint
from analysis.results import facts
from analysis.results.numbers import counted
from analysis.results.results import Results
from analysis.system.failures import Failure, attempt
from analysis.system.files import write_text

_HERE = Path(__file__).parent
_NAMED = 5
_OF_ENDPOINT = ("forest", "sensitivity", "bubble")
_BAUJAT = ("Map of the studies: how surprising each is under the others' prediction, and how far the pooled "
           "result moves without it, one panel for each endpoint.")
_FUNNEL = ("Each study's estimate over its size within the limits that the model predicts for a study of that "
           "size, one panel for each endpoint.")


def write_report(results: Results, folder: Path, *, figures: Sequence[Path] = ()) -> tuple[Path, tuple[Failure, ...]]:
    """Write report.html whole or not at all; returns its path, and the sections that could not be written.

    Parameters
    ----------
    figures : sequence of Path
        What `analysis.runs.figures.draw_all` returned; other files of the folder may stem from another run.
    """
    drawn = {FigureId.of(path.stem): path.read_text("utf-8") for path in figures if path.suffix == ".svg"}
    path, failures = folder / "report.html", []
    write_text(path, render(results, drawn, failures))
    return path, tuple(failures)


def render(results: Results, figures: Mapping[FigureId, str], failures: list[Failure] | None = None) -> str:
    """The page as text.

    Parameters
    ----------
    figures : mapping of FigureId to str
        SVG of each figure that was drawn.
    failures : list of Failure, or None
        Takes in the sections that could not be written.
    """
    title = "Bayesian reanalysis of a published meta-analysis" if results.comparisons \
        else "Bayesian meta-analysis"
    sections = _sections(results, figures)
    failed = [one for _, one in sections if isinstance(one, Failure)]
    known = replace(results, failures=(*results.failures, *failed))
    if failures is not None:
        failures += failed
    body = [_head(known, title), *(_with_failures(known, parts, one) for parts, one in sections)]
    template = Template((_HERE / "page.html").read_text("utf-8"))
    return template.substitute(title=text(title), style=(_HERE / "report.css").read_text("utf-8"),
                               body=join(body, "\n\n"))


def _sections(results: Results, figures: Mapping[FigureId, str]) -> list[tuple[tuple[str, ...], Html | Failure]]:
    """Each section with the names of the parts whose failures it has to tell."""
    endpoints = facts.fitted_endpoints(results)

    def picture(name: str, alt: str) -> Html:
        return _picture(figures.get(FigureId(name)), alt)

    makers: list[tuple[tuple[str, ...], str, Callable[[], Html | str]]] = [
        ((), "answer", lambda: summary(results)),
        ((), "contents", lambda: _contents(endpoints)),
        (("figure published",), "comparison", lambda: comparison_section(
            results, picture("published", _published_alt(results)))),
        ((), "prediction", lambda: prediction_section(results)),
        ((), "caveats", lambda: caveat_section(results)),
        (("other methods", "interval shape", "decomposition", "figure decomposition"), "differences",
         lambda: differences_section(results, picture("decomposition", _decomposition_alt(results)))),
        (("missing studies", "figure missing"), "missing studies", lambda: missing_section(
            results, picture("missing", _missing_alt(results)))),
        (("sensitivity", "power scaling"), "sensitivity", lambda: sensitivity_section(results)),
        (("influence", "figure baujat"), "influence", lambda: influence_section(results, picture("baujat", _BAUJAT))),
        (("subsets",), "subsets", lambda: subsets_section(results)),
        (("regression",), "regression", lambda: regression_section(results)),
        (("small studies", "figure funnel"), "small studies", lambda: small_studies_section(
            results, picture("funnel", _FUNNEL))),
        (("model comparison",), "model comparison", lambda: models_section(results)),
        (("figures",), "endpoints", lambda: tag("h2", "Endpoints", id="endpoints") if endpoints else ""),
        *(((f"endpoint {endpoint.endpoint}",
            *(f"figure {FigureId(kind, endpoint.endpoint).stem}" for kind in _OF_ENDPOINT)),
           endpoint.label,
           partial(_endpoint, results, endpoint, figures)) for endpoint in endpoints),
        ((), "other published numbers", lambda: remainder_section(results)),
        ((), "evidence left out", lambda: left_out_section(results)),
        ((), "method", lambda: method_section(results)),
        ((), "diagnostics", lambda: diagnostics_section(results)),
        ((), "run it again", lambda: reproduce_section(results))]
    return [((*parts, f"section {name}"), attempt(f"section {name}", "", make)) for parts, name, make in makers]


def _with_failures(results: Results, parts: Sequence[str], made: Html | str | Failure) -> Html:
    """A section, and below it what of it has no result because of an error."""
    told = [tag("p", f"FAILED: {failure}", class_="failed") for failure in results.failures
            if failure.part in parts or f"endpoint {failure.endpoint}" in parts]
    return join(["" if isinstance(made, Failure) else made, *told], "\n")


def _endpoint(results: Results, endpoint: Endpoint, figures: Mapping[FigureId, str]) -> Html:
    """The section of one endpoint with all its pictures."""
    name, label = endpoint.endpoint, endpoint.label
    forest, refits, bubbles = (figures.get(FigureId(kind, name)) for kind in ("forest", "sensitivity", "bubble"))
    dependence = folded(
        "What this result hangs on",
        sensitivity_block(results, name, _picture(refits, f"{label}: the headline's interval and the interval of every "
                                                          f"refit with one choice changed.")),
        regression_block(results, name, _picture(bubbles, f"{label}: each study's estimate over each covariate, with "
                                                          f"the posterior curve and its band.")))
    return endpoint_section(results, endpoint, _picture(forest, _alt(results, endpoint)), dependence)


def _head(results: Results, title: str) -> Html:
    source = _source(results)
    return join([tag("h1", title), tag("p", "Published: ", source, class_="source") if source else "",
                 *_banners(results)], "\n")


def _banners(results: Results) -> list[Html]:
    """What a reader must know before any number: short chains, and fits without a result."""
    found = [(f"{results.stamp}: short chains, for trying out. Do not cite these numbers.", "banner")] \
        if results.stamp else []
    failed = results.failed
    if failed:
        headline = any(facts.variation(results, record) == "headline" for record in failed)
        names = "; ".join(facts.fit_name(results, record) for record in failed[:_NAMED])
        more = f"; and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        rest = "" if headline else " No headline fit is affected."
        status = " or ".join(dict.fromkeys(record.status for record in failed))
        found.append((f"{status}: {len(failed)} of {counted(len(results.records), 'fit')} without a result "
                      f"({names}{more}).{rest}", "banner" if headline else "banner mild"))
    if results.failures:
        parts = "; ".join(str(failure) for failure in results.failures[:_NAMED])
        more = f"; and {len(results.failures) - _NAMED} more" if len(results.failures) > _NAMED else ""
        found.append((f"FAILED: {counted(len(results.failures), 'part')} of this report without a result, because of "
                      f"an error of the program ({parts}{more}). Everything else is complete.", "banner"))
    return [tag("p", text, class_=style) for text, style in found]


def _source(results: Results) -> Html:
    """The publication whose numbers are compared, with a link where its DOI is known."""
    ids = {found.reported.source_id for found in results.comparisons}
    found = [source for source in results.evidence.sources if source.source_id in ids]
    return join((tag("a", source.citation, href=f"https://doi.org/{source.doi}") if source.doi
                 else text(source.citation) for source in found), "; ")


def _contents(endpoints: Sequence[Endpoint]) -> Html:
    links = [tag("a", endpoint.label, href=f"#endpoint-{endpoint.endpoint}") for endpoint in endpoints]
    return tag("nav", tag("span", "Endpoints: "), join(links, " · "), aria_label="Endpoints") if links else Html("")


def _picture(svg: str | None, alt: str) -> Html:
    # As an image of its own the SVG can neither run scripts nor share ids with the page or another figure.
    if svg is None:
        return Html("")
    return image("data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode(), alt)


def _alt(results: Results, endpoint: Endpoint) -> str:
    record = results.headline(endpoint.endpoint)
    parts = [f"Forest plot of {endpoint.label}: {counted(record.k_studies, 'study', 'studies')}, "
             f"{counted(record.n_patients, 'patient')}"]
    for names in (facts.MAIN, facts.NEW):
        row = facts.estimate(record, names[endpoint.kind])
        value = facts.worded(row, results.scale(endpoint.endpoint))
        name = facts.main_name(results, endpoint) if names is facts.MAIN else "a new study"
        parts.append(f"{name} {value}, {facts.kind_of(row)} interval" if row else record.status)
    return "; ".join(dict.fromkeys(parts)) + "."


def _decomposition_alt(results: Results) -> str:
    shown = len({row["reported_id"] for row in results.side_rows("decomposition.csv")})
    return (f"Steps from published estimate to posterior for {counted(shown, 'published estimate')}: published, the "
            f"paper's kind of method on this evidence, maximum likelihood, posterior.")


def _missing_alt(results: Results) -> str:
    shown = len({row["endpoint"] for row in results.side_rows("missing_bounds.csv")})
    return (f"Headline interval of {counted(shown, 'rate')} beside intervals with likely and with extreme results of "
            f"the studies without a number, with the published total, and as published.")


def _published_alt(results: Results) -> str:
    pairs = facts.with_published_interval(facts.pooled_comparisons(results, primary=True))
    inside = sum(map(facts.agrees, pairs))
    return (f"Published estimates with confidence intervals above posterior medians with credible intervals; in "
            f"{inside} of {len(pairs)} the published estimate lies in the credible interval.")
