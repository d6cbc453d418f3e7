"""All checks of the tables, each with faults: a file, a passage that occurs once in it, and what replaces it."""

from collections.abc import Iterable

from . import audit, bases, coverage, decisions, form, ledger, optional_columns, reported, studies

MODULES = (audit, bases, coverage, decisions, form, ledger, optional_columns, reported, studies)
PLANTED = {check: faults for module in MODULES for check, faults in module.PLANTED.items()}


def listed(problems: Iterable[str]) -> str:
    """Return problems as a message, one on a line."""
    return "\n" + "\n".join(problems)
