"""The folder that the tests read; another folder is tested by overriding `data_folder`."""

from pathlib import Path

import pytest

from .tables import FOLDER, Data


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Return the folder of the shipped tables."""
    return FOLDER


@pytest.fixture(scope="session")
def data(data_folder: Path) -> Data:
    """Return the shipped files."""
    return Data.read(data_folder)
