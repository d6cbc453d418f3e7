"""Newer evidence put into an evidence directory: which studies are known, which are new, and what cannot be told.

A study of the newer evidence is a known one where its id or its label is; a later report of it takes the place of the
older rows of the same endpoint, whose facts stay in the ledger, to which the facts of the newer evidence are added
where both keep one. One that shares a registration, or by `overlaps_with` patients, with a known one of another id is
neither until somebody says what it is. Times join in months, or as the directory gives the time at risk.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analysis.evidence.cells import as_seen
from analysis.evidence.columns import (
    CONVERTED,
    TABLES,
    TIMES,
    TIMES_OF_A_MEDIAN,
    months_of_one,
    written_as,
)
from analysis.evidence.files import read_bytes, read_records
from analysis.evidence.sheets import (
    ABOUT_A_NUMBER,
    COVARIATES,
    ENDPOINTS,
    RESPONSES,
    STUDIES,
    SURVIVAL,
    key_of,
    tables_of,
)
from analysis.evidence.spreadsheets import read_sheet
from analysis.system.errors import UsageError
from analysis.system.groups import grouped

SOURCES, FACTS, PATIENTS = "sources.csv", "extraction.csv", "patients.csv"
REGISTRATION = "registry_id"
_DECISIONS = (RESPONSES, SURVIVAL, PATIENTS)
Rows = list[dict[str, str]]


class Undecided(UsageError):
    """Studies of which it cannot be told whether they are known; the message says how to choose."""


@dataclass(frozen=True)
class Choices:
    """What a user said about studies of the newer evidence.

    Parameters
    ----------
    same : mapping of str to str
        From a newer id to the known study that it reports on.
    distinct, skipped : tuple of str
        Those of other patients than any known study, and those to leave out.
    """

    same: Mapping[str, str] = field(default_factory=dict)
    distinct: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Merged:
    """The tables of a directory with newer evidence in them.

    Parameters
    ----------
    tables : mapping of str to rows
        Those that change, whole.
    added, updated : tuple of str
        Ids of new studies, and of known ones with newer rows.
    replaced : tuple of (study_id, endpoint, how many rows)
    changed : tuple of (study_id, column, old cell, new cell)
        Of known studies, where both cells are filled.
    endpoints : tuple of str
        Endpoints with a new row.
    facts, left : int
        How many facts of the newer evidence's ledger came along, and how many did not, since the directory has none.
    """

    tables: Mapping[str, Rows]
    added: tuple[str, ...]
    updated: tuple[str, ...]
    replaced: tuple[tuple[str, str, int], ...]
    changed: tuple[tuple[str, str, str, str], ...]
    endpoints: tuple[str, ...]
    facts: int
    left: int


def tables_in(place: Path) -> dict[str, Rows]:
    """Every table of a directory, or of one spreadsheet, as text by column name."""
    contents = tables_of(read_sheet(place)).contents if place.is_file() else {
        file: read_records(file, read_bytes(place / file))[2] for file in TABLES if (place / file).exists()}
    return {file: [dict(zip(header.cells, record.cells, strict=False)) for record in records]
            for file, (header, *records) in contents.items()}


def merge(known: Mapping[str, Rows], newer: Mapping[str, Rows], choices: Choices, *, source: str) -> Merged:
    """The tables of known evidence with newer evidence in them; `source` names where the newer one comes from.

    Raises
    ------
    Undecided
        With a sentence for each study that may be a known one.
    """
    studies = {row["study_id"]: row for row in known[STUDIES]}
    offered = [row for row in newer[STUDIES] if row["study_id"] not in choices.skipped]
    _check_names(studies, newer, choices)
    ids = _matched(studies, offered, choices)
    endpoints, new_endpoints = _endpoints(known[ENDPOINTS], newer[ENDPOINTS])
    sources, facts, of_fact, of_source = _joined(known, newer, ids, endpoints)
    facts_added = len(facts) - len(known.get(FACTS, ()))
    offered = [_citing(row, "source", of_fact) for row in offered]
    before = {file: known.get(file, []) for file in _DECISIONS}
    news = {file: _news(file, before[file], [
        {**_citing(row, "fact_ids", of_fact), "study_id": ids[row["study_id"]], "endpoint": endpoints[row["endpoint"]]}
        for row in newer.get(file, ()) if row["study_id"] in ids]) for file in _DECISIONS}
    for row in news[PATIENTS]:
        row["source_id"] = of_source.get(row.get("source_id", ""), "")
    reported = {_key(row) for rows in news.values() for row in rows}
    replaced = Counter(_key(row) for rows in before.values() for row in rows if _key(row) in reported)
    tiers = any(row.get("tier") for rows in before.values() for row in rows)
    ledger = _ledger(sources, facts, news, source, tiers=tiers)
    added = tuple(dict.fromkeys(key for key in ids.values() if key not in studies))
    tables = {file: [*(row for row in before[file] if _key(row) not in reported), *news[file]] for file in _DECISIONS}
    tables |= {STUDIES: _studies(known[STUDIES], offered, ids, added), **ledger}
    tables |= {SOURCES: sources} if news[PATIENTS] else {}
    tables = {file: rows for file, rows in tables.items() if rows and rows != known.get(file)}
    used = tuple(sorted({endpoint for _, endpoint in reported}))
    if new_endpoints := [row for row in new_endpoints if row["endpoint"] in used]:
        kept = {row["endpoint"] for row in (*known[ENDPOINTS], *new_endpoints)}
        tables[ENDPOINTS] = [*known[ENDPOINTS], *(
            {**row, "parent": row["parent"] if row["parent"] in kept else ""} if row.get("parent") else row
            for row in new_endpoints)]
    if newer.get(COVARIATES) and not known.get(COVARIATES):
        tables[COVARIATES] = newer[COVARIATES]
    updated = tuple(dict.fromkeys(key for key, _ in sorted(reported) if key in studies))
    changed = tuple((row["study_id"], name, old, row[name]) for row in tables.get(STUDIES, ())
                    for name, old in studies.get(row["study_id"], {}).items() if old and old != row[name])
    return Merged(tables, added, updated, tuple((*key, count) for key, count in sorted(replaced.items())), changed,
                  used, facts_added if ledger else 0, sum(not name for name in of_fact.values()))


def _key(row: Mapping[str, str]) -> tuple[str, str]:
    return row["study_id"], row["endpoint"]


def _news(file: str, known: Rows, rows: Rows) -> Rows:
    """Rows of a study and endpoint of which one at least is not known as it is, with the times of a table in months.

    A time at risk stands in the column that the known rows have for it.
    """
    header = known[0] if known else {}
    at_risk = written_as("person_months", header)
    of_key, rows = grouped((_in_months(file, row) for row in known), _key), [_in_months(file, row) for row in rows]

    def is_known(row: Mapping[str, str]) -> bool:
        cells = {name: cell for name, cell in row.items()
                 if cell and (file == PATIENTS or name not in ABOUT_A_NUMBER)}
        return any(cells.items() <= old.items() for old in of_key.get(_key(row), ()))

    changed = {_key(row) for row in rows if not is_known(row)}
    changed |= {key for key, alike in grouped(rows, _key).items()
                if file == PATIENTS and len(alike) != len(of_key.get(key, ()))}
    for row in rows if at_risk != "person_months" else ():
        if months := row.pop("person_months", ""):
            row[at_risk] = f"{float(months) / CONVERTED['person_months'][at_risk]:.12g}"
    return [row for row in rows if _key(row) in changed]


def _in_months(file: str, row: Mapping[str, str]) -> dict[str, str]:
    """The row with the times of survival.csv in months; what is no number is left to the check."""
    moved = dict(row)
    for name in (*TIMES, *TIMES_OF_A_MEDIAN) if file == SURVIVAL else ():
        filled = [column for column, cell in row.items() if cell]
        source = written_as(name, filled)
        if source in filled and (months := months_of_one(name, source, row)) != 1.0:
            del moved[source]
            moved[name] = f"{float(row[source]) * months:.12g}"
    return {name: cell for name, cell in moved.items() if name != "time_unit"} if file == SURVIVAL else moved


def _check_names(studies: Mapping[str, object], newer: Mapping[str, Rows], choices: Choices) -> None:
    offered = {row["study_id"] for row in newer[STUDIES]}
    for flag, names in (("--same", choices.same), ("--distinct", choices.distinct), ("--skip", choices.skipped)):
        if unknown := sorted(set(names) - offered):
            raise Undecided(f"{flag} {unknown[0]}: the newer evidence has no such study; it has "
                            f"{', '.join(sorted(offered))}")
    if unknown := sorted(set(choices.same.values()) - set(studies)):
        raise Undecided(f"--same ...={unknown[0]}: the directory has no such study")


def _matched(studies: Mapping[str, Mapping[str, str]], offered: Rows, choices: Choices) -> dict[str, str]:
    """The id that each newer study has, or gets, in the directory."""
    labels = {_plain(row["label"]): key for key, row in studies.items()}
    ids: dict[str, str] = {}
    undecided = []
    for row in offered:
        key = row["study_id"]
        known = key if key in studies else labels.get(_plain(row["label"]))
        same = choices.same.get(key) or (None if key in choices.distinct else known)
        if same is None and key not in choices.distinct:
            undecided += [f"{key} {why} {other}: --same {key}={other} if it reports on that study, --distinct {key} if "
                          f"its patients are others, --skip {key} to leave it out."
                          for other, why in _relatives(studies, row)]
        taken = {*studies, *ids.values()}
        ids[key] = same or (key_of(key, list(taken), "study") if key in taken else key)
    if undecided:
        raise Undecided(" ".join(undecided))
    return ids


def _relatives(studies: Mapping[str, Mapping[str, str]], row: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Known studies that may have patients of a newer one, and why."""
    numbers, named = _names(row, REGISTRATION), _names(row, "overlaps_with")
    for other, known in studies.items():
        if shared := numbers & _names(known, REGISTRATION):
            yield other, f"has the registration {min(shared)} of"
        elif other in named or row["study_id"] in _names(known, "overlaps_with"):
            yield other, "shares patients (overlaps_with) with"


def _names(row: Mapping[str, str], column: str) -> set[str]:
    return {name for name in re.split(r"[\s,;]+", row.get(column, "")) if name}


def _plain(label: str) -> str:
    return as_seen(label).casefold()


def _endpoints(known: Rows, newer: Rows) -> tuple[dict[str, str], Rows]:
    """The key of each newer endpoint in the directory, and the rows of those that it lacks."""
    by_name = {name: row["endpoint"] for row in known for name in (_plain(row["label"]), row["endpoint"])}
    keys = {row["endpoint"]: by_name.get(row["endpoint"]) or by_name.get(_plain(row["label"])) for row in newer}
    added = [{**row, "parent": keys.get(row["parent"]) or row["parent"]} if row.get("parent") else row
             for row in newer if not keys[row["endpoint"]]]
    return {name: key or name for name, key in keys.items()}, added


def _studies(known: Rows, offered: Rows, ids: Mapping[str, str], added: Sequence[str]) -> Rows:
    """studies.csv: filled cells of newer reports take the place of older ones, new studies stand below."""
    header = dict.fromkeys([*known[0], *(name for row in offered for name, cell in row.items() if cell)], "")
    rows = {row["study_id"]: {**header, **row} for row in known}
    placed = any(row.get("in_review") for row in known)
    for row in offered:
        key = ids[row["study_id"]]
        filled = {name: cell for name, cell in row.items() if cell and name not in ("study_id", "label", "in_review")}
        if filled.get("overlaps_with"):
            filled["overlaps_with"] = " ".join(ids.get(name, name) for name in _names(row, "overlaps_with"))
        if key in added and key not in rows:
            rows[key] = {**header, **filled, "study_id": key, "label": row["label"]}
            rows[key] |= {"in_review": row.get("in_review") or "false"} if placed else {}
        else:
            # That a report shares patients with the study it is of goes without saying.
            rows[key] |= {name: cell for name, cell in filled.items() if name != "overlaps_with" or cell != key}
    return list(rows.values())


def _joined(known: Mapping[str, Rows], newer: Mapping[str, Rows], ids: Mapping[str, str],
            endpoints: Mapping[str, str]) -> tuple[Rows, Rows, dict[str, str], dict[str, str]]:
    """Sources and facts of both ledgers, and the id that each newer fact, and source, has there.

    Where the directory has no ledger a fact has "" and a source none.

    What is there already keeps its id; a source or a fact of another content gets an id that is free.
    """
    sources, facts = [*known.get(SOURCES, ())], [*known.get(FACTS, ())]
    offered = [row for row in newer.get(FACTS, ()) if row["study_id"] in ids]
    if not facts:
        return sources, facts, {row["fact_id"]: "" for row in offered}, {}
    cited = {row.get("source_id") for row in (*offered, *newer.get(PATIENTS, ())) if row["study_id"] in ids}
    of_source = _placed(sources, [row for row in newer.get(SOURCES, ()) if row["source_id"] in cited], "source_id",
                        lambda old: key_of(old, [row["source_id"] for row in sources], "source"))
    of_fact = _placed(facts, [
        {**row, "study_id": ids[row["study_id"]], "endpoint": endpoints.get(row["endpoint"], row["endpoint"]),
         "source_id": of_source.get(row.get("source_id", ""), "")} for row in offered], "fact_id",
        lambda _: _next(facts))
    return sources, facts, of_fact, of_source


def _placed(rows: Rows, newer: Rows, key: str, free: Callable[[str], str]) -> dict[str, str]:
    """The id that each newer row has among `rows`, to which those of a new content are added."""
    def content(row: Mapping[str, str]) -> frozenset[tuple[str, str]]:
        return frozenset((name, cell) for name, cell in row.items() if cell and name != key)

    known, taken, ids = {content(row): row[key] for row in rows}, {row[key] for row in rows}, {}
    for row in newer:
        if content(row) not in known:
            known[content(row)] = free(row[key]) if row[key] in taken else row[key]
            rows.append({**row, key: known[content(row)]})
            taken.add(rows[-1][key])
        ids[row[key]] = known[content(row)]
    return ids


def _next(facts: Rows) -> str:
    """An id of a fact that is free: the largest number of all, plus one."""
    numbers = [int(digits[0]) for row in facts if (digits := re.findall("[0-9]+$", row["fact_id"]))]
    return f"F{1 + max(numbers, default=0):04d}"


def _citing(row: Mapping[str, str], column: str, of_fact: Mapping[str, str]) -> dict[str, str]:
    """The row with the ids that facts have in the directory; those that stay behind are not cited."""
    cited = (of_fact.get(name, "" if column == "fact_ids" else name) for name in row.get(column, "").split())
    return {**row, column: " ".join(filter(None, cited))} if row.get(column) else dict(row)


def _ledger(sources: Rows, facts: Rows, decisions: Mapping[str, Rows], source: str, *, tiers: bool) -> dict[str, Rows]:
    """A source and a fact for each newer row that cites none, where there is a ledger; its tables of both, whole.

    A newer row has tier B, as all that rests on one source, and says where it comes from.
    """
    rows = [(file, row, {name: row.pop(name, "") for name in ABOUT_A_NUMBER})
            for file, table in decisions.items() if file != PATIENTS for row in table]
    for _, row, _ in rows if tiers else ():
        row["tier"] = row.get("tier") or "B"
    if not facts or not rows:
        return {}
    bare = [(file, row, said) for file, row, said in rows if not row.get("fact_ids")]
    if bare:
        identity = key_of(source, [row["source_id"] for row in sources], "source")
        sources.append({"source_id": identity, "citation": source, "kind": "update"})
    for file, row, said in bare:
        row |= {"fact_ids": _next(facts), "decision": row.get("decision") or f"As {source} reports it."}
        facts.append(_fact(row, said, identity, is_count=file == RESPONSES))
    return {SOURCES: sources, FACTS: facts}


def _fact(row: Mapping[str, str], said: Mapping[str, str], source_id: str, *, is_count: bool) -> dict[str, str]:
    """What a row of a decision states; `said` are the cells about its number."""
    value, quantity = (row["events"], "events") if is_count else (
        row.get("estimate") or row.get("events", ""), row.get("statistic") or "events")
    extracted = said["extracted_by"] and f"extracted by {said['extracted_by']}"
    return {"fact_id": row["fact_ids"], "study_id": row["study_id"], "endpoint": row["endpoint"],
            "quantity": quantity, "value": value, "denominator": row["n"], "source_id": source_id,
            "ci_low": row.get("ci_low", ""), "ci_high": row.get("ci_high", ""),
            "time_months": row.get("time_months", ""), "derived": "false", "locator": said["locator"],
            "note": "; ".join(filter(None, [said["note"], extracted]))}
