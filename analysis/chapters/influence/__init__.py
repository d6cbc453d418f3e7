"""Which study each estimate hangs on; the words are in section.html."""

from collections.abc import Iterator, Sequence

from analysis.cases.settings import ALL
from analysis.chapters.chapter import Chapter, Page, Picture, each_endpoint
from analysis.chapters.influence.figure import FEWEST, draw_baujat, mapped
from analysis.chapters.influence.rows import INFLUENCE, influence_rows
from analysis.drawing.html import Html, join, rendered, section, show, tag
from analysis.evidence.types import TIERS
from analysis.inference.prediction import NAMED_BELOW
from analysis.results.numbers import significant
from analysis.results.results import Results
from analysis.results.table import COMPUTED, Row
from analysis.results.tables import STUDIES

_BEST, _OTHERWISE = next(iter(TIERS)), "otherwise"
_UNRELIABLE = 0.7
"""Pareto k above which importance sampling is not trusted."""


def _figures(results: Results) -> Iterator[Picture]:
    frame, reports = results.frame(INFLUENCE), mapped(results.frame(INFLUENCE))
    if len(reports):
        named = [f"{row.label} in {results.labels.endpoints[row.endpoint]}"
                 for row in reports[reports["named"]].itertuples()]
        yield Picture("baujat", draw_baujat, {"frame": frame, "labels": results.labels},
            f"Map of {len(reports)} reports: how surprising each is under the others' prediction, and how far "
            f"the pooled result moves without it. Less probable than {NAMED_BELOW:g}: {', '.join(named) or 'none'}.")


def _section(results: Results, page: Page) -> Html:
    """Which study each estimate hangs on, and which ones the others would not have predicted."""
    rows, computed = results.rows(INFLUENCE.file), results.computed(INFLUENCE.file)
    write = results.writer(INFLUENCE)
    enough = [row for row in computed if row["k_studies"] >= FEWEST]
    every = show(
        write, computed, "endpoint label n median shift shift_sd heterogeneity pit two_sided "
        "surprise_bits information_bits pareto_k reason", heads={"label": "Without"},
        caption="Each study left out: the estimate without it, and how the others predict it",
        cells={"heterogeneity": lambda row: "{} {} ({} with)".format(row["heterogeneity"], *_heterogeneity(row))},
        marked=lambda row: "outside" if row["named"] else None)
    return section("influence", "Which study each estimate hangs on", rendered(
        "chapters/influence/section.html", write=write, rows=rows, every=every,
        heterogeneity=_heterogeneity, computed=computed, named=[row for row in computed if row["named"]],
        below=NAMED_BELOW, few=FEWEST, endpoints={row["endpoint"] for row in computed},
        enough={row["endpoint"] for row in enough},
        largest=max(enough, key=lambda row: abs(row["shift_sd"]), default=None),
        moved={row["endpoint"] for row in enough if abs(row["shift_sd"]) >= 0.5},
        shapes=[row["pareto_k"] for row in computed if row["pareto_k"] is not None], unreliable=_UNRELIABLE,
        refused={row["endpoint"]: row for row in rows if row["status"] != COMPUTED}.values(),
        picture=page.picture("baujat")))


def _heterogeneity(row: Row) -> list[str]:
    """Without and with the study."""
    return [significant(row["heterogeneity_median"]), significant(row["full_heterogeneity"])]


def _brief(results: Results, page: Page) -> Html:
    """The study that moves each estimate most, and those that surprise."""
    computed, write = results.computed(INFLUENCE.file), results.writer(INFLUENCE)
    enough = [row for row in computed if row["k_studies"] >= FEWEST]
    largest = [max((row for row in enough if row["endpoint"] == endpoint), key=lambda row: abs(row["shift_sd"]))
               for endpoint in dict.fromkeys(row["endpoint"] for row in enough)]
    return rendered(
        "chapters/influence/brief.html", write=write, computed=computed,
        doubted=any(_doubts(results, row) for row in largest),
        named=[row for row in computed if row["named"]], table=show(
            write, largest, "endpoint label median shift", heads={"label": "Study", "median": "Without it"},
            caption="The study that moves each estimate most", folder="details/",
            cells={"label": lambda row: _study(row, _doubts(results, row))})) if computed else Html("")


def _study(row: Row, doubts: Sequence[str]) -> Html:
    """The name of a study with what speaks against its number."""
    return join([row["label"], *([Html("<br>"), tag("small", "; ".join(doubts))] if doubts else [])])


def _doubts(results: Results, row: Row) -> list[str]:
    """What the evidence has against the number of a study, in a few words."""
    numbers = [number for number in results.rows(STUDIES.file) if number["subset"] == ALL
               and number["study_id"] == row["study_id"]]
    own = [number for number in numbers if number["endpoint"] == row["endpoint"]]
    against = any(fact["standing"] == _OTHERWISE for fact in results.rows("provenance.csv")
                  if (fact["study_id"], fact["endpoint"]) == (row["study_id"], row["endpoint"]))
    alike = [other["endpoint"] for number in own for other in numbers if _is_twice(results, number, other)]
    return [*dict.fromkeys(f"tier {number['tier']}" for number in own if number["tier"] not in ("", None, _BEST)),
            *(["a source says otherwise"] if against else []),
            *(f"same number as {results.labels.endpoints[endpoint]}" for endpoint in dict.fromkeys(alike))]


def _is_twice(results: Results, number: Row, other: Row) -> bool:
    """Whether one statistic of survival stands for two endpoints, of which hardly both can be true."""
    curves = all(results.evidence.endpoint(endpoint).kind == "survival" and not results.evidence.counts_person_time(
        endpoint) for endpoint in (number["endpoint"], other["endpoint"]))
    # Nobody, or everybody, may well be without either event.
    return number["endpoint"] != other["endpoint"] and number["statistic"] == other["statistic"] and curves \
        and number["raw"] not in (0.0, 1.0)


CHAPTER = Chapter("influence", 70, (INFLUENCE,), each_endpoint("influence", influence_rows), figures=_figures,
                  section=_section, parts=("influence", "figure baujat"), brief=_brief)
