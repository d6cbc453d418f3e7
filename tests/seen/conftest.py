"""One report, read back once, with its page and its figures, for every test of this folder."""

import pytest

from tests.report.reading import whole
from tests.reporting import pictures_of
from tests.seen.cells import Tables
from tests.seen.running import Seen, report


@pytest.fixture(scope="session")
def seen(tmp_path_factory) -> Seen:
    return report(tmp_path_factory.mktemp("seen"))


@pytest.fixture(scope="session")
def page(seen) -> Tables:
    return Tables(whole(seen.folder))


@pytest.fixture(scope="session")
def figures(seen):
    """Figures by kind and endpoint ("" where there is one for all)."""
    return {(picture.kind, picture.endpoint): picture.draw(**picture.content) for picture in pictures_of(seen.results)}
