"""Where each number comes from: what is analysed of each study and why, and every fact beside it."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from analysis.cases.reports import in_words
from analysis.cases.selection import file_of
from analysis.chapters.chapter import Chapter, Page
from analysis.chapters.evidence.rows import OTHERWISE, PROVENANCE, SAME, Line, provenance_rows
from analysis.drawing.html import Html, cited, folded, join, rendered, row_anchor, section, show, table, tag
from analysis.evidence.types import TIERS, Study
from analysis.results.results import Results
from analysis.results.table import Row
from analysis.system.groups import grouped

_SETS = {None: "", True: "Of the review: ", False: "Later: "}
_SHEETS = (".csv", ".xlsx")
_KEY = re.compile(r"(?<![\w./:-])[a-z0-9]+(?:_[a-z0-9]+)+(?![\w/:-])")
"""A key or the name of a column: with an underscore, and no part of an address or of a file's name."""


def _section(results: Results, page: Page) -> Html:
    """Every study with its numbers, each with an anchor, and the checks of the publication's arithmetic."""
    evidence = results.evidence
    lines = grouped(evidence.numbers, lambda line: (line.study_id, line.endpoint))
    sources = {source.source_id: cited(source.citation or source.source_id, source.doi, f"#source-{source.row}")
               for source in evidence.sources}
    facts = grouped(({**row, "citation": sources.get(row["source_id"], "")} for row in provenance_rows(evidence)),
                    lambda row: row["study_id"])
    others = [tag("li", "; ".join(filter(None, (source.citation or source.source_id, source.pmid and "PMID "
                                                + source.pmid, source.url))), id=f"source-{source.row}")
              for source in evidence.sources if facts and 'href="#' in sources[source.source_id]]
    words = rendered(
        "chapters/evidence/section.html", tiers=TIERS if any(row.tier for row in evidence.numbers) else {},
        facts=facts, index=[(_SETS[of], list(studies)) for of, studies in groupby(
            sorted(evidence.studies, key=lambda study: study.in_review is False), lambda study: study.in_review)])
    return join([section("evidence", "Where each number comes from", words, *(
        _study(results, study, lines, facts.get(study.study_id, [])) for study in evidence.studies)), _audit(results),
        section("sources", "Sources without a digital object identifier", tag("ul", *others) if others else "")],
        "\n\n")


def _study(results: Results, study: Study, lines: Mapping[tuple[str, str], Sequence[Line]],
           facts: Sequence[Row]) -> Html:
    """What the study itself rests on, its numbers endpoint by endpoint, and the facts of which no number is made."""
    numbers = {endpoint.endpoint: lines.get((study.study_id, endpoint.endpoint), ())
               for endpoint in results.evidence.endpoints}
    gaps = [tag("li", ": ".join(filter(None, (results.labels.endpoints.get(gap.endpoint), gap.known))))
            for gap in results.evidence.gaps if gap.study_id == study.study_id and gap.known]
    notes = [_in_labels(results, note) for name in ("source", "registry_id", "note")
             if (note := study.columns.get(name))]
    others = [row for row in facts if not numbers.get(row["endpoint"])]
    return tag("section", tag("h3", study.label), tag("p", "; ".join(notes), class_="legend") if notes else "", *(
        _number(results, rows, [row for row in facts if row["endpoint"] == name])
        for name, rows in numbers.items() if rows),
        folded(f"Known without a number: {len(gaps)}", tag("ul", *gaps) if gaps else ""),
        folded(f"Other facts: {len(others)}", _facts(results, others, "endpoint", f"{study.label}: other facts")),
        id=f"study-{study.study_id}")


def _number(results: Results, lines: Sequence[Line], facts: Sequence[Row]) -> Html:
    """What is analysed of one study and endpoint, what says otherwise, and the other facts in a fold."""
    study_id, name = lines[0].study_id, lines[0].endpoint
    record, label = results.headline(name), results.labels.endpoints[name]
    unused = {(row["table"], row["row"]) for row in record.left_out} if record else None
    others = [row for row in facts if row["standing"] != OTHERWISE]
    same = {row["fact_id"] for row in others if row["standing"] == SAME}
    return tag("div", rendered(
        "chapters/evidence/number.html", label=label, study=results.labels.studies[study_id], lines=[
            (line, in_words(line), _in_labels(results, line.decision), _place(results, line),
             unused is not None and (file_of(line), line.row) not in unused) for line in lines],
        against=[{**row, "note": _in_labels(results, row["note"])} for row in facts if row["standing"] == OTHERWISE]),
        folded(_agreeing(len({row["fact_id"] for row in others}), len(same)), _facts(
            results, others, "statistic" if len(lines) > 1 else "",
            f"{results.labels.studies[study_id]}, {label}: facts")),
        id=row_anchor(study_id, name))


def _in_labels(results: Results, note: str) -> str:
    """A text of the evidence with labels in place of keys, and names of columns as words."""
    labels = {**{source.source_id: source.citation for source in results.evidence.sources if source.citation},
              **results.labels.endpoints, **results.labels.studies}
    return _KEY.sub(lambda key: labels.get(key[0], key[0].replace("_", " ")), note)


def _agreeing(facts: int, same: int) -> str:
    """How many facts there are, and how many of them say the same as the number."""
    if facts == 1:
        return "1 fact, which agrees" if same else "1 fact, of something else"
    return f"{facts} facts, {'none' if not same else 'all' if same == facts else same} of which "\
           f"{'agrees' if same < 2 else 'agree'}"


def _facts(results: Results, rows: Sequence[Row], first: str, caption: str) -> Html:
    return show(results.writer(PROVENANCE), rows, f"says {first} population standing citation locator note fact_id",
                caption=caption, cells={
                    "endpoint": lambda row: results.labels.endpoints.get(
                        row["endpoint"], row["endpoint"].replace("_", " ")),
                    "note": lambda row: _in_labels(results, row["note"])})


def _place(results: Results, line: Line) -> str:
    """File and line: of a table, or of the spreadsheet that holds all."""
    place = results.evidence.directory
    return f"{place.name if place.suffix.lower() in _SHEETS else file_of(line)} line {line.row}"


def _audit(results: Results) -> Html:
    """What the publication prints against its own numbers, in one fold for each verdict."""
    checks = grouped(results.evidence.audit, lambda check: check.verdict.replace("_", " "))
    return section("audit", "The publication's own arithmetic", rendered(
        "chapters/evidence/audit.html", total=len(results.evidence.audit), totals=results.rows("published_totals.csv")),
        *(folded(f"{len(alike)} {verdict}", table(
            verdict.capitalize(), ("Statement", "Recomputed", "Comment", "Place", "Check"),
            [(check.statement, check.recomputed, check.comment, check.locator, check.check_id) for check in alike]))
          for verdict, alike in sorted(checks.items(), key=lambda item: len(item[1])))) if checks else Html("")


def _brief(results: Results, page: Page) -> Html:
    """How many numbers there are of each tier, and how many facts stand behind them or against them."""
    evidence, facts = results.evidence, results.rows(PROVENANCE.file)
    tiers, studies = Counter(row.tier for row in evidence.numbers), {row.study_id for row in evidence.numbers}
    stated = {(row["study_id"], row["endpoint"]) for row in facts}
    return rendered(
        "chapters/evidence/brief.html", numbers=len(evidence.numbers), studies=len(studies),
        without=len(evidence.studies) - len(studies),
        sourced=sum((row.study_id, row.endpoint) in stated for row in evidence.numbers),
        facts=len({row["fact_id"] for row in facts}), audit=len(evidence.audit),
        otherwise=len({row["fact_id"] for row in facts if row["standing"] == OTHERWISE}),
        tiers=[(tier, meaning, tiers[tier]) for tier, meaning in TIERS.items() if tiers[tier]])


CHAPTER = Chapter("evidence", 125, (PROVENANCE,), finish=lambda results: {
    PROVENANCE.file: provenance_rows(results.evidence)}, section=_section, brief=_brief)
