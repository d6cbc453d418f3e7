"""What all tests share: the shipped evidence, and a rule that nothing is skipped silently in CI."""

import os
from pathlib import Path

import pytest

from analysis.system.surroundings import keep_freed_memory

ROOT = Path(__file__).resolve().parents[1]
# One thread each, as the program itself: threads of linear algebra that wait for a core cost what they compute.
for library in ("OPENBLAS", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
keep_freed_memory()
# A defect in one part of a report is to end a test with its traceback, not as a paragraph of the page.
os.environ.setdefault("RECART_DEBUG", "1")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def shipped():
    from analysis.evidence.loading import load
    return load(ROOT / "data")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests of a file run in one process, and so do all of tests/seen: the report that they read is made once."""
    from xdist.scheduler import LoadFileScheduling

    class ByReport(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "tests/seen" if nodeid.startswith("tests/seen/") else super()._split_scope(nodeid)

    return ByReport(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if os.environ.get("CI") and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped in CI: install what it needs there, or remove it"
    return report
