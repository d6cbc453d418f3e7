"""For any evidence: valid sets come back exactly, damage is found, no bytes cause another error."""

import csv
import io
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analysis.evidence.cells import PLACEHOLDERS, as_seen, placeholder
from analysis.evidence.directory import Evidence
from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError

from .build import FULL, MINIMAL, cells_of, table_of, with_cell, write_files

slugs = st.from_regex(r"[a-z0-9]{1,6}([_-][a-z0-9]{1,4}){0,2}",
                      fullmatch=True).filter(lambda text: text not in PLACEHOLDERS)
# Everything that is not a control character, with the marks that need quoting often among it.
prose = st.text(st.one_of(st.sampled_from(",\"\n\r;'\u2028"), st.characters(exclude_categories=["Cc", "Cs"])))
prose = prose.map(str.strip).filter(lambda text: not text or as_seen(text) and not placeholder(text))
labels = prose.filter(lambda text: 0 < len(text) <= 200 and not set(text) & set("\n\r\t"))
months = st.floats(0.02, 1200)


@st.composite
def studies(draw) -> list[list[str]]:
    ids = draw(st.lists(slugs, min_size=1, max_size=6, unique=True))
    names = draw(st.lists(labels, min_size=len(ids), max_size=len(ids), unique=True))
    return [[study, name, str(draw(st.integers(1900, 2100))), draw(prose)]
            for study, name in zip(ids, names, strict=True)]


@st.composite
def evidence_cells(draw) -> dict[str, list[list[str]]]:
    """Return the cells of a random valid set, headers included."""
    rows = draw(studies())
    ids = [row[0] for row in rows]
    responses, survival = [], []
    for study in ids:
        n = draw(st.integers(1, 10_000_000))
        responses.append([study, "cr", str(draw(st.integers(0, n))), str(n), draw(prose)])
        survival.append([study, "os", *draw(st.one_of(medians(), landmarks())), str(n)])
    return {"studies.csv": [["study_id", "label", "year", "remark"], *rows],
            "endpoints.csv": cells_of(FULL["endpoints.csv"]),
            "responses.csv": [["study_id", "endpoint", "events", "n", "decision"], *responses],
            "survival.csv": [["study_id", "endpoint", "statistic", "time_months", "estimate", "ci_low",
                              "ci_high", "upper_not_reached", "n"], *survival]}


@st.composite
def medians(draw) -> list[str]:
    low, estimate, high = sorted(draw(st.lists(months, min_size=3, max_size=3, unique=True)))
    limits = draw(st.sampled_from([("", "", ""), (repr(low), repr(high), "false"), (repr(low), "", "true")]))
    return ["median", "", repr(estimate), *limits]


@st.composite
def landmarks(draw) -> list[str]:
    inner = st.floats(0.5, 1 - 1e-8)
    low, estimate, high = sorted(draw(st.lists(inner, min_size=3, max_size=3, unique=True)))
    limits = draw(st.sampled_from([("", "", ""), (repr(low), repr(high), "FALSE")]))
    return ["landmark", repr(draw(months)), repr(estimate), *limits]


def loaded(files: dict[str, str | bytes | None]) -> Evidence:
    with tempfile.TemporaryDirectory() as directory:
        return load(write_files(Path(directory), files))


def first_lines(cells: list[list[str]]) -> list[int]:
    """Return the line on which each row below the header begins, from the text of the rows before it."""
    lines, line = [], 1
    for row in cells:
        lines.append(line)
        line += len(re.findall(r"\r\n|\r|\n", table_of([row])))
    return lines[1:]


def number(cell: str) -> float | None:
    return float(cell) if cell else None


@given(evidence_cells())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_valid_set_comes_back_exactly(cells):
    evidence = loaded({name: table_of(rows) for name, rows in cells.items()})
    for name, table in (("studies.csv", evidence.studies), ("responses.csv", evidence.responses)):
        assert [row.row for row in table] == first_lines(cells[name])
    assert [[s.study_id, s.label, str(s.year), s.columns["remark"]]
            for s in evidence.studies] == cells["studies.csv"][1:]
    assert [[r.study_id, r.endpoint, str(r.events), str(r.n), r.decision]
            for r in evidence.responses] == cells["responses.csv"][1:]
    for row, written in zip(evidence.survival, cells["survival.csv"][1:], strict=True):
        assert [row.time_months, row.estimate, row.ci_low, row.ci_high] == [number(c) for c in written[3:7]]
        assert (row.statistic, row.upper_not_reached, row.n) == (written[2], written[7] == "true", int(written[8]))


def as_spreadsheets_write(rows: list[list[str]], separator: str, surplus: int, line_break: str) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=separator, lineterminator=line_break, quoting=csv.QUOTE_ALL)
    writer.writerows([*row, *[""] * surplus] for row in rows)
    return f"\ufeffsep={separator}{line_break}{stream.getvalue()}"


@given(evidence_cells(), st.sampled_from(",;\t|"), st.integers(0, 3), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_spreadsheets_add_changes_nothing(cells, separator, surplus, line_break):
    plain = loaded({name: table_of(rows) for name, rows in cells.items()})
    written = loaded({name: as_spreadsheets_write(rows, separator, surplus, line_break)
                      for name, rows in cells.items()})
    for table in ("studies", "endpoints", "responses", "survival"):
        pairs = zip(getattr(plain, table), getattr(written, table), strict=True)
        assert all(left == replace(right, row=left.row) for left, right in pairs)


FILLED = [
    (file, row, column)
    for file, text in FULL.items()
    for row, cells in enumerate(cells_of(text)[1:], start=2)
    for column, cell in zip(cells_of(text)[0], cells, strict=True)
    if cell
]
# Text is wrong in every column: a placeholder, or a control character that no cell may hold.
WRONG_ANYWHERE = [*sorted(PLACEHOLDERS), "NA", "None", "a\x00b", "\x1b[31mred", "x\x07"]


@given(st.sampled_from(FILLED), st.sampled_from(WRONG_ANYWHERE))
@settings(max_examples=100, deadline=None)
def test_one_corrupted_cell_is_traced_to_its_row(place, cell):
    file, row, column = place
    try:
        loaded(FULL | {file: with_cell(FULL[file], row, column, cell)})
    except EvidenceError as error:
        assert (file, row) in [(p.file, p.row) for p in error.problems]
    else:
        raise AssertionError(f"{cell!r} was accepted in {place}")


NUMERIC = [place for place in FILLED if place[2] in {
    "year", "n_treated", "median_age", "horizon_months", "events", "n", "time_months", "estimate", "ci_low", "ci_high",
    "ci_level", "person_months", "k_studies", "n_patients", "level", "decimals", "denominator"}]
# A cell of which nothing can be seen is empty.
wordings = st.text(min_size=1, max_size=12).filter(lambda text: as_seen(text) and not re.search(r"\d", text))


@given(st.sampled_from(NUMERIC), wordings)
@settings(max_examples=100, deadline=None)
def test_text_without_digits_is_never_a_number(place, cell):
    file, row, column = place
    try:
        loaded(FULL | {file: with_cell(FULL[file], row, column, cell)})
    except EvidenceError as error:
        assert any(p.file == file and (p.row == row or p.row is None or "NUL" in p.rule) for p in error.problems)
    else:
        raise AssertionError(f"{cell!r} was accepted in {place}")


def assert_only_evidence_errors(files: dict[str, str | bytes | None]) -> None:
    try:
        evidence = loaded(files)
    except EvidenceError as error:
        assert error.problems
        found = error.problems
    else:
        found = evidence.notes
    for problem in found:
        assert str(problem).isprintable()
        assert problem.rule
        assert problem.remedy
        json.dumps(problem.as_dict())
        assert problem.row is None or problem.row >= 1


@given(st.dictionaries(st.sampled_from(sorted(FULL)), st.binary(max_size=300), min_size=1))
@settings(max_examples=100, deadline=None)
def test_random_bytes_raise_nothing_else(files):
    assert_only_evidence_errors(FULL | files)


@given(st.sampled_from(sorted(FULL)), st.integers(0), st.integers(0, 40), st.binary(max_size=12))
@example("studies.csv", 0, 0, b"\xff\xfe")
@example("responses.csv", 60, 0, b'"')
@settings(max_examples=100, deadline=None)
def test_damaged_tables_raise_nothing_else(file, start, length, inserted):
    content = FULL[file].encode()
    start %= len(content) + 1
    assert_only_evidence_errors(FULL | {file: content[:start] + inserted + content[start + length :]})


@given(st.sampled_from(FILLED), st.text(st.characters(codec="utf-8")))
@settings(max_examples=100, deadline=None)
def test_any_text_in_any_cell_raises_nothing_else(place, cell):
    file, row, column = place
    assert_only_evidence_errors(FULL | {file: with_cell(FULL[file], row, column, cell)})


@given(st.lists(st.lists(st.text(st.sampled_from('ab1,;"\n\r \t|.-')), max_size=6), max_size=6))
@settings(max_examples=30, deadline=None)
def test_any_rows_under_a_header_raise_nothing_else(rows):
    for file in MINIMAL:
        header = MINIMAL[file].splitlines(keepends=True)[0]
        assert_only_evidence_errors(MINIMAL | {file: header + table_of(rows)})
        assert_only_evidence_errors(MINIMAL | {file: header + "\n".join(",".join(row) for row in rows)})
