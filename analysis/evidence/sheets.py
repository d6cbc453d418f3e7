"""One table with a row per study and endpoint becomes the tables of an evidence directory.

Keys are made from labels, an endpoint is a rate unless its rows have a statistic, a time or person-time, numbers that
differ between studies become covariates and words with a few levels become columns of 0 and 1. What a row says about
its study must be the same in each row of that study.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.evidence.cells import Fault, as_seen, line, misread, number
from analysis.evidence.columns import CONVERTED, TABLES, meant_by
from analysis.evidence.files import Record
from analysis.evidence.problems import Problem, shown
from analysis.evidence.spreadsheets import Sheet
from analysis.system.groups import grouped

STUDIES, ENDPOINTS, RESPONSES, SURVIVAL, COVARIATES = (
    "studies.csv", "endpoints.csv", "responses.csv", "survival.csv", "covariates.csv")
Contents = Sequence[Record]
"""The header of a table, and its rows, which have the numbers of the rows that they come from."""

ALIASES = {"study": ("study_id", "study_name", "trial", "slab"), "endpoint": ("outcome",),
           "events": ("event", "r", "x", "xi"), "n": ("ni", "total", "patients"), "time_months": ("time",),
           "person_months": ("person_time", "ti"), "label": ("study_label",)}
"""Other names of columns, those of RBesT (study, r, n) and metafor (slab, xi, ni, ti) among them."""

_OF_ENDPOINT = ("kind", "direction", "horizon_months")
_TIMED = ("statistic", "time_months", "estimate", "person_months", *CONVERTED["person_months"])
_IDENTITIES = ("pmid", "doi", "nct", "id", "row")
ABOUT_A_NUMBER = ("locator", "extracted_by", "note")
"""Columns of a row that become those of its fact, where the evidence keeps a ledger."""

OF_A_WORKSHEET = ("state", "known", "contradicted", "where_to_look")
"""Columns that only a worksheet has: its rows without a number are still to be filled."""

_OVERLAPS = "overlaps_with"
_MOST_LEVELS, _MOST_TITLES, _MOST_BASES = 6, 20, 4
_LONGEST_LEVEL = 75  # two of them stand in the label of a covariate, which is one line
_DEFAULT = {"rate": "Event", "survival": "Survival"}
_KEY_LIMIT = 60
_NEEDED = ("A rate needs the columns study, events and n; survival needs study, statistic, time_months, estimate, "
           "ci_low, ci_high and n. The header is the first row with text.")
_ONE_VALUE = {"study": "A study has one value in all its rows; give parts of it study names of their own.",
              "endpoint": "An endpoint has one value in all its rows; correct one, or name another endpoint."}


@dataclass(frozen=True)
class _Row:
    """A row: its number in the sheet, and its cells by the names of the tables."""

    row: int
    cells: dict[str, str]

    @property
    def kind(self) -> str:
        return "survival" if any(self.cells.get(name) for name in _TIMED) else "rate"

    @property
    def endpoint(self) -> str:
        """The label of its endpoint."""
        return self.cells.get("endpoint") or _DEFAULT[self.kind]

    def name(self, column: str) -> str:
        """The name of its study or endpoint."""
        return self.endpoint if column == "endpoint" else self.cells[column]


@dataclass(frozen=True)
class SheetTables:
    """The tables of a sheet, what is wrong with its form, and the names of its columns by those of the tables.

    `notes` are what a reader of the sheet should know.
    """

    contents: Mapping[str, Contents]
    problems: tuple[Problem, ...]
    names: Mapping[str, str]
    notes: tuple[Problem, ...] = ()


def key_of(label: str, taken: Sequence[str], stem: str) -> str:
    """A key made from a label, different from those that are taken; `stem` and a number where nothing is left of it."""
    plain = unicodedata.normalize("NFKD", label[:500]).encode("ascii", "ignore").decode().lower()
    key = re.sub(r"[^a-z0-9]+", "_", plain)[:_KEY_LIMIT].strip("_") or f"{stem}_{len(taken) + 1}"
    return next(name for name in (key, *(f"{key}_{at}" for at in range(2, len(taken) + 3))) if name not in taken)


def tables_of(sheet: Sheet) -> SheetTables:
    """The tables that a sheet stands for."""
    header = [_canonical(cell) for cell in sheet.header.cells]
    names = dict(zip(header, sheet.header.cells, strict=True))
    names |= {"study_id": names.get("study", "study")}
    problems = list(_header_problems(sheet, header))
    if problems:
        return SheetTables({}, tuple(problems), names)
    unstored = {problem.row for problem in sheet.problems}
    problems += [*sheet.problems, *(problem for problem in _row_problems(sheet, header.index("study"))
                                    if problem.row not in unstored)]
    torn = {problem.row for problem in problems}
    rows = [_Row(record.row, dict(zip(header, record.cells, strict=True))) for record in sheet.records
            if record.row not in torn]
    if set(OF_A_WORKSHEET) <= set(header):
        rows = [row for row in rows if any(row.cells.get(name) for name in ("events", *_TIMED))]
        if not rows:
            problems.append(Problem(sheet.file, None, "", "", "is a worksheet of which no row is filled", "Fill "
                                    "what you found: events and n, or a statistic."))
            return SheetTables({}, tuple(problems), names)
    of_rows = (*TABLES[RESPONSES].columns, *TABLES[SURVIVAL].columns, *CONVERTED["person_months"])
    no_column = {*of_rows, *_OF_ENDPOINT, *ABOUT_A_NUMBER, *OF_A_WORKSHEET, "study", "label"}
    about_study = [name for name in header if name and name not in no_column]
    problems += [*_spelled_twice(sheet.file, rows, names), *_differing(sheet.file, rows, "study", about_study, names),
                 *_differing(sheet.file, rows, "endpoint", _OF_ENDPOINT, names),
                 *_misread(sheet.file, rows, filter(_may_be_covariate, about_study), names)]
    contents = _contents(rows, header, about_study, names)
    known = [name for name in (*TABLES[STUDIES].columns, *of_rows, *_OF_ENDPOINT) if name not in header]
    notes = (*sheet.notes, *_unused(sheet, contents[STUDIES], filter(_may_be_covariate, about_study), known, names),
             *_mixed(sheet.file, rows, names))
    return SheetTables(contents, tuple(problems), names, notes)


def _contents(rows: Sequence[_Row], header: Sequence[str], about_study: Sequence[str],
              names: Mapping[str, str]) -> dict[str, Contents]:
    studies, endpoints = _studies(rows, about_study), _endpoints(rows)
    covariates = _covariates(studies, about_study, names)
    widened = dict.fromkeys([*about_study, *(row.cells["column"] for row in covariates)])
    contents = {STUDIES: _table(("study_id", "label", *widened), studies.values()),
                ENDPOINTS: _table(("endpoint", "label", *_OF_ENDPOINT), endpoints.values())}
    for file, kind in ((RESPONSES, "rate"), (SURVIVAL, "survival")):
        decisions = [_Row(row.row, row.cells | {"study_id": studies[row.cells["study"]].cells["study_id"],
                                                "endpoint": endpoints[row.endpoint].cells["endpoint"]})
                     for row in rows if endpoints[row.endpoint].cells["kind"] == kind]
        if decisions:
            contents[file] = _table(_columns(file, header), decisions)
    return contents | ({COVARIATES: _table(("covariate", "label", "column"), covariates)} if covariates else {})


def _table(names: Sequence[str], rows: Iterable[_Row]) -> Contents:
    """A header of these names and the rows, whose cells are empty where they lack one."""
    return [Record(1, tuple(names)), *(
        Record(row.row, tuple(row.cells.get(name, "") for name in names)) for row in rows)]


def _columns(file: str, header: Sequence[str]) -> tuple[str, ...]:
    """Of one of the two tables of decisions: the columns that it must have, and those that the sheet has."""
    known = (*TABLES[file].columns, *(CONVERTED["person_months"] if file == SURVIVAL else ()), *ABOUT_A_NUMBER)
    needed = {"study_id", "endpoint", *(TABLES[file].required if file == SURVIVAL else ())}
    return tuple(name for name in known if name in header or name in needed)


def _canonical(name: str) -> str:
    plain = re.sub(r"[\s.\-]+", "_", name.strip()).casefold()
    return next((column for column, aliases in ALIASES.items() if plain in aliases), plain)


def _header_problems(sheet: Sheet, header: Sequence[str]) -> Iterator[Problem]:
    """What keeps all rows from being read."""
    def of_header(column: str, rule: str, remedy: str) -> Problem:
        return Problem(sheet.file, sheet.header.row, column, "", rule, remedy)

    for name in (name for name, count in Counter(filter(None, header)).items() if count > 1):
        yield of_header(name, "is named by more than one column", "Rename or delete one.")
    lacking = _lacking(header)
    below = next((record.row for record in sheet.records[:_MOST_TITLES]
                  if not _lacking([_canonical(cell) for cell in record.cells])), None)
    if lacking and below:
        yield of_header("", f"is taken for the header, which stands in row {below}", "Delete the rows above it.")
        return
    for name in sorted(lacking):
        yield of_header(name, "is missing from the header", _NEEDED)
    if not sheet.records:
        yield of_header("", "has a header but no rows", "Add at least one row.")
    for name, other in () if lacking else sheet.others:
        if not _lacking([_canonical(cell) for cell in other.cells]):
            rule = f"has the heads of evidence in two sheets, of which only {shown(sheet.name)} would be read"
            yield Problem(sheet.file, None, "", "", rule, f"Put the rows of {shown(name)} below the others, hide it, "
                          "or move it into another file.")


def _lacking(header: Sequence[str]) -> set[str]:
    """Columns without which no row of a sheet is evidence."""
    counted = {"events", "n"} <= set(header) or set(header) & set(_TIMED)
    return ({"study"} | (set() if counted else {"events", "n"})) - set(header)


def _row_problems(sheet: Sheet, study: int) -> Iterator[Problem]:
    """What keeps single rows from being read; `study` is the place of the column that names the study."""
    width = len(sheet.header.cells)
    for record in sheet.records:
        subject = ", ".join(record.cells[:1])
        if record.fault or len(record.cells) != width:
            rule = record.fault or f"has {len(record.cells)} cells where the header has {width}"
            yield Problem(sheet.file, record.row, "", "", rule, "Mend the row, or name its last column.", subject)
        elif not record.cells[study]:
            yield Problem(sheet.file, record.row, sheet.header.cells[study], "", "is empty",
                          "Name the study in every row; merged cells hold their text only once.", subject)


def _keys(labels: Iterable[str], stem: str) -> dict[str, str]:
    keys: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        keys[label] = key_of(label, list(keys.values()), stem)
    return keys


def _filled(rows: Sequence[_Row], name: str) -> str:
    """The first filled cell of a column."""
    return next((row.cells[name] for row in rows if row.cells.get(name)), "")


def _studies(rows: Sequence[_Row], about_study: Sequence[str]) -> dict[str, _Row]:
    """The row of studies.csv of each study by its name."""
    by_name = grouped(rows, lambda row: row.cells["study"])
    keys = _keys(by_name, "study")
    studies = {name: _Row(of_study[0].row, {column: _filled(of_study, column) for column in about_study} | {
        "study_id": keys[name], "label": of_study[0].cells.get("label") or name}) for name, of_study in by_name.items()}
    for row in studies.values() if _OVERLAPS in about_study else ():
        row.cells[_OVERLAPS] = _as_ids(row.cells[_OVERLAPS], keys)
    return studies


def _as_ids(cell: str, keys: Mapping[str, str]) -> str:
    """A list of studies by their ids, each of which may be written as its study is: a name may hold blanks."""
    if cell in keys:
        return keys[cell]
    parts = [part.strip() for part in re.split("[,;]", cell)]
    return ";".join(keys.get(part) or " ".join(keys.get(word, word) for word in part.split()) for part in parts)


def _endpoints(rows: Sequence[_Row]) -> dict[str, _Row]:
    """The row of endpoints.csv of each endpoint by its label.

    Its kind is what its rows say, else what their cells look like, which is survival if one does.
    """
    by_label = grouped(rows, lambda row: row.endpoint)
    keys, endpoints = _keys(by_label, "endpoint"), {}
    for label, of_endpoint in by_label.items():
        kinds = [row.cells.get("kind", "").casefold() or row.kind for row in of_endpoint]
        endpoints[label] = _Row(of_endpoint[0].row, {
            "endpoint": keys[label], "label": label, "kind": "survival" if "survival" in kinds else kinds[-1],
            "direction": _filled(of_endpoint, "direction") or "neutral",
            "horizon_months": _filled(of_endpoint, "horizon_months")})
    return endpoints


def _spelled_twice(file: str, rows: Sequence[_Row], names: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each further spelling of a study or an endpoint, which would make two of one."""
    for column in ("study", "endpoint"):
        first: dict[str, _Row] = {}  # by name as it is written
        for row in rows:
            first.setdefault(row.name(column), row)
        spelled: dict[str, str] = {}
        for name, row in first.items():
            other = spelled.setdefault(_bare(name), name)
            if other != name:
                rule = f"differs from {shown(other)} of row {first[other].row} in capitals, blanks or accents only"
                yield Problem(file, row.row, names.get(column, column), name, rule, "Write both the same way, or make "
                              "the names differ otherwise where two are meant.")


def _bare(name: str) -> str:
    letters = unicodedata.normalize("NFKD", as_seen(name).casefold())
    return "".join(letter for letter in letters if not (unicodedata.combining(letter) or letter.isspace()))


def _differing(
    file: str, rows: Sequence[_Row], of: str, columns: Iterable[str], names: Mapping[str, str],
) -> Iterator[Problem]:
    """Yield a problem for each cell about a study, or an endpoint, that differs from that of another row of it."""
    seen: dict[tuple[str, str], _Row] = {}
    for row in rows:
        for name in columns:
            cell = row.cells.get(name, "")
            first = seen.setdefault((row.name(of), name), row) if cell else row
            if cell and first.cells[name] != cell:
                rule = f"differs from row {first.row} of the same {of}, which has {shown(first.cells[name])}"
                yield Problem(file, row.row, names[name], cell, rule, _ONE_VALUE[of], row.cells["study"])


def _mixed(file: str, rows: Sequence[_Row], names: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a note for each endpoint whose rows name different bases of patients, or some of them none."""
    for label, alike in grouped(rows, lambda row: row.endpoint).items():
        first, *more = {row.cells.get("population", "").casefold(): row for row in reversed(alike)}.values()
        if more:
            bases = sorted([first, *more], key=lambda row: row.row)
            told = " and ".join(f"{shown(row.cells['population']) if row.cells['population'] else 'nothing'} "
                                f"(row {row.row})" for row in bases[:_MOST_BASES])
            rule = f"of {shown(label)} says {told}, and studies are pooled whatever they say"
            yield Problem(file, None, names["population"], "", rule,
                          "Give other patients an endpoint of their own.")


def _may_be_covariate(name: str) -> bool:
    return name not in _IDENTITIES and (name == "year" or name not in TABLES[STUDIES].columns)


def _is_number(cell: str) -> bool:
    return not isinstance(number(cell), Fault)


def _against_covariate(filled: Sequence[str], studies: int) -> str:
    """Why a column with these cells, one of each study, is no covariate; empty where it is one."""
    numbers, levels = sum(map(_is_number, filled)), len(set(filled))
    if levels < 2:
        return "all its cells are the same" if filled else "it is empty"
    if 2 * numbers > len(filled):
        return ""
    if numbers:
        return "it mixes numbers and words"
    if any(len(cell) > _LONGEST_LEVEL or isinstance(line(cell), Fault) for cell in filled):
        return "it holds sentences"
    return f"it has {levels} different words for {studies} studies" if levels > min(_MOST_LEVELS, studies // 2) else ""


def _unused(sheet: Sheet, studies: Contents, columns: Iterable[str], known: Sequence[str],
            names: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a note for each column that nothing is read from, or that a known one may be meant by."""
    header, *records = studies
    for name in columns:
        at = header.cells.index(name)
        filled = [record.cells[at] for record in records if record.cells[at]]
        against = _against_covariate(filled, len(records))
        meant = meant_by(name, known) if name != "year" else ""
        if filled and (against or meant):
            rule = f"is not used: {against}, and so it is no covariate" if against else "is read as a covariate"
            remedy = f"Rename it if {meant} is meant." if meant else "Leave it if it is for readers only."
            yield Problem(sheet.file, sheet.header.row, names[name], "", rule, remedy)


def _misread(file: str, rows: Sequence[_Row], columns: Iterable[str], names: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each cell that looks like a number and is none, since its column would be lost, or words."""
    for name in columns:
        for row in rows if name != "year" else ():
            if fault := misread(row.cells[name]):
                yield Problem(file, row.row, names[name], row.cells[name], fault.rule, fault.remedy, row.cells["study"])


def _covariates(studies: Mapping[str, _Row], about_study: Sequence[str], names: Mapping[str, str]) -> list[_Row]:
    """The rows of covariates.csv; words become columns of 0 and 1, whose cells are added to the studies."""
    labels: dict[str, str] = {}  # of covariates by their column
    for name in about_study:
        filled = [row.cells[name] for row in studies.values() if row.cells[name]]
        if not _may_be_covariate(name) or (name != "year" and any(map(misread, filled))):
            continue
        levels = [] if _against_covariate(filled, len(studies)) else sorted(set(filled))
        if any(map(_is_number, levels)):
            labels[name] = names[name]
        else:
            for level in levels[1:]:
                key = key_of(f"{name}_{level}", ["study_id", "label", *about_study, *labels], name)
                labels[key] = f"{names[name]}: {level} (against {levels[0]})"
                for row in studies.values():
                    row.cells[key] = str(int(row.cells[name] == level)) if row.cells[name] else ""
    keys = _keys(labels, "covariate")
    return [_Row(at, {"covariate": keys[name], "label": label, "column": name})
            for at, (name, label) in enumerate(labels.items(), start=2)]
