"""The whole page: one file that needs no other, loads nothing, and is the same for the same results."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from analysis.evidence import Endpoint
from analysis.files import write_text
from analysis.pipeline import Results
from analysis.report import facts
from analysis.report.answer import comparison_section, prediction_section, summary
from analysis.report.differences import differences_section, models_section
from analysis.report.endpoints import endpoint_section
from analysis.report.html import Html, folded, image, join, tag, text
from analysis.report.influence import influence_section, small_studies_section, subsets_section
from analysis.report.missing import missing_section
from analysis.report.regression import regression_block, regression_section
from analysis.report.remainder import left_out_section, remainder_section
from analysis.report.sensitivity import sensitivity_block, sensitivity_section
from analysis.report.workings import caveat_section, diagnostics_section, method_section, reproduce_section
from analysis.wording import counted

_HERE = Path(__file__).parent
_FOREST = "forest_"
_NAMED = 5
_BAUJAT = ("Map of the studies: how surprising each is under the others' prediction, and how far the pooled "
           "result moves without it, one panel for each endpoint.")
_FUNNEL = ("Each study's estimate over its size within the limits that the model predicts for a study of that "
           "size, one panel for each endpoint.")


def write_report(results: Results, folder: Path, *, figures: Sequence[Path] = ()) -> Path:
    """Write report.html whole or not at all; returns its path.

    Parameters
    ----------
    figures : sequence of Path
        What `analysis.figures.all.draw_all` returned; other files of the folder may stem from another run.
    """
    drawn = {path.stem.removeprefix(_FOREST): path.read_text("utf-8") for path in figures
             if path.suffix == ".svg"}
    path = folder / "report.html"
    write_text(path, render(results, drawn))
    return path


def render(results: Results, figures: Mapping[str, str]) -> str:
    """The page as text.

    Parameters
    ----------
    figures : mapping of str to str
        SVG by endpoint, and "published" and "decomposition".
    """
    title = "Bayesian reanalysis of a published meta-analysis" if results.comparisons \
        else "Bayesian meta-analysis"
    endpoints = facts.fitted_endpoints(results)
    body = [_head(results, title), summary(results), _contents(endpoints),
            comparison_section(results, _picture(figures.get("published"), _published_alt(results))),
            prediction_section(results), caveat_section(results),
            differences_section(results, _picture(figures.get("decomposition"), _decomposition_alt(results))),
            missing_section(results, _picture(figures.get("missing"), _missing_alt(results))),
            sensitivity_section(results), influence_section(results, _picture(figures.get("baujat"), _BAUJAT)),
            subsets_section(results), regression_section(results),
            small_studies_section(results, _picture(figures.get("funnel"), _FUNNEL)), models_section(results),
            tag("h2", "Endpoints", id="endpoints") if endpoints else "",
            *(_endpoint(results, endpoint, figures) for endpoint in endpoints),
            remainder_section(results), left_out_section(results), method_section(results),
            diagnostics_section(results), reproduce_section(results)]
    template = Template((_HERE / "page.html").read_text("utf-8"))
    return template.substitute(title=text(title), style=(_HERE / "report.css").read_text("utf-8"),
                               body=join(body, "\n\n"))


def _endpoint(results: Results, endpoint: Endpoint, figures: Mapping[str, str]) -> Html:
    """The section of one endpoint with all its pictures."""
    name, label = endpoint.endpoint, endpoint.label
    dependence = folded(
        "What this result hangs on",
        sensitivity_block(results, name, _picture(figures.get(f"sensitivity_{name}"), f"{label}: the headline's "
                          f"interval and the interval of every refit with one choice changed.")),
        regression_block(results, name, _picture(figures.get(f"bubble_{name}"), f"{label}: each study's estimate over "
                         f"each covariate, with the posterior curve and its band.")))
    return endpoint_section(results, endpoint, _picture(figures.get(name), _alt(results, endpoint)), dependence)


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
        found.append((f"NOT CONVERGED: {len(failed)} of {counted(len(results.records), 'fit')} without a result "
                      f"({names}{more}).{rest}", "banner" if headline else "banner mild"))
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
        name = facts.main_name(results, endpoint) if names is facts.MAIN else "a new study"
        parts.append(f"{name} {facts.worded(row)}, {facts.kind_of(row)} interval" if row else record.status)
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
