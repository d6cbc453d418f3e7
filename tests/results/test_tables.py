"""Tables are declared once: every column has a meaning, and what a table gives is what its rows say."""

import csv
import math

import pandas as pd
import pytest

from analysis.chapters.chapter import all_chapters
from analysis.results.comparison import COMPARISON
from analysis.results.table import _SHARED, Column, Layout, dictionary
from analysis.results.tables import LAYOUTS

EVERY = (COMPARISON, *LAYOUTS, *(layout for chapter in all_chapters() for layout in chapter.layouts))
TINY = Layout("tiny.csv", "A row.", (Column("name", "who", "text"), Column("k", "how many", "count"),
                                     Column("x", "share"), Column("yes", "whether", "flag")))


def test_every_column_has_a_meaning_that_is_not_its_name():
    assert len({layout.file for layout in EVERY}) == len(EVERY) > 20
    for layout in EVERY:
        assert layout.meaning.endswith(".") and len(set(layout.names)) == len(layout.names), layout.file
        unsaid = [column.name for column in layout.columns
                  if column.meaning.strip().casefold() in ("", column.name.casefold(), column.name.replace("_", " "))]
        assert not unsaid, f"{layout.file}: {unsaid}"


def test_the_dictionary_names_every_file_and_column():
    text = dictionary(EVERY)
    for layout in EVERY:
        part = text.split(f"\n## {layout.file}\n")[1].split("\n## ")[0]
        assert layout.meaning in part and all(f"| `{column.name}` | {column.meaning} |" in part
                                              for column in layout.columns)


def test_cells_that_are_not_given_are_empty_in_rows_frame_and_file(tmp_path):
    table = TINY.table([{"name": "a", "k": 3, "x": math.nan}, {"x": 0.5, "yes": True}])
    assert table.rows == ({"name": "a", "k": 3, "x": None, "yes": None},
                          {"name": None, "k": None, "x": 0.5, "yes": True})
    assert len(table) == 2 and TINY.between("k", "yes") == ("k", "x", "yes")
    assert list(map(str, table.frame.dtypes)) == ["string", "Int64", "float64", "boolean"]
    assert table.frame["k"].isna().tolist() == [False, True] and table.frame["x"].isna().tolist() == [True, False]
    with table.write(tmp_path).open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["name", "k", "x", "yes"], ["a", "3", "", ""], ["", "", "0.5", "true"]]


def test_a_format_reads_columns_that_are_there():
    """A shared column is shown only where its neighbours are; that, the page's own tests see."""
    for layout in EVERY:
        for column in (column for column in layout.columns if _SHARED.get(column.name) != column):
            form, *beside = column.format.split()
            assert form in ("flag", "label") or set(beside) <= set(layout.names), (layout.file, column.name)


@pytest.mark.parametrize("layout", EVERY, ids=lambda layout: layout.file)
def test_a_table_without_rows_has_its_typed_columns(layout):
    frame = layout.table(()).frame
    assert tuple(frame.columns) == layout.names and not len(frame)
    assert not any(pd.api.types.is_object_dtype(kind) for kind in frame.dtypes)


def test_what_is_not_declared_is_refused():
    with pytest.raises(ValueError, match="tiny.csv has no column y, z"):
        TINY.table([{"name": "a", "z": 1}, {"y": 2}])
    with pytest.raises(ValueError, match="'date' is no format of a column"):
        Column("when", "a day", "date")
