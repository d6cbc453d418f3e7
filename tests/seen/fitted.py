"""What the report saved of each fit: its entry in run.json, its draws, and whether they were sampled."""

from functools import cache
from pathlib import Path

import numpy as np
import xarray as xr

from tests.seen.checking import chosen
from tests.seen.headline import HEADLINE
from tests.seen.running import SAMPLED


def fits(seen):
    """Manifest entries of run.json by endpoint, model, subset, tiers and early landmarks."""
    return {(one["endpoint"], one["model"], one["subset"], one["tiers"], str(one["early_landmarks"]).lower()): one
            for one in seen.run["fits"]}


def key(row):
    return row["endpoint"], row["model"], row["subset"], row["tiers"], row["early_landmarks"]


def is_sampled(row) -> bool:
    return (row["endpoint"] in SAMPLED and row["subset"] == "all" and row["tiers"] == "AB"
            and row["early_landmarks"] == "true")


def headline_rows(seen, endpoint: str) -> list[dict[str, str]]:
    """The estimates of an endpoint's headline: pooled, of a new study, and of each study."""
    return chosen(seen.tables["estimates.csv"], endpoint=endpoint, model=HEADLINE[endpoint], subset="all", tiers="AB",
                  early_landmarks="true")


@cache
def _saved(path: Path, name: str) -> np.ndarray:
    with xr.open_datatree(path) as tree:
        values = tree["posterior"][name].values
    return values.reshape(-1, *values.shape[2:])


def draws(seen, row, name: str) -> np.ndarray:
    """The draws of the saved posterior, shape (s,) or (s, studies)."""
    return _saved(seen.folder / fits(seen)[key(row)]["posterior"], name)
