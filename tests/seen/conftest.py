"""One report, read back once, for every test of this folder."""

import pytest

from tests.seen.running import Seen, report


@pytest.fixture(scope="session")
def seen(tmp_path_factory) -> Seen:
    return report(tmp_path_factory.mktemp("seen"))
