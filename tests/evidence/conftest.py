"""Fixtures of the evidence tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.evidence.loading import load
from analysis.evidence.problems import EvidenceError, Problem

from .build import FULL, write_files


@pytest.fixture
def problems_of(tmp_path: Path) -> Callable[..., tuple[Problem, ...]]:
    """Return a function that loads the full set with some files replaced and returns its problems."""

    def find(**files: str | bytes | None) -> tuple[Problem, ...]:
        replaced = {f"{name}.csv": content for name, content in files.items()}
        try:
            load(write_files(tmp_path / "evidence", FULL | replaced))
        except EvidenceError as error:
            return error.problems
        return ()

    return find
