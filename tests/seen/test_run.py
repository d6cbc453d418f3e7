"""The run as a whole: how it ended, which fits it made, what it saved of them, and that every file has its test."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import xarray as xr

from models import all_models
from tests.seen.facts import ENDPOINTS, REPORTED, Z, studies_of
from tests.seen.fitted import fits, key


def test_the_run_ended_well(seen):
    assert seen.code == 0, seen.told
    assert seen.run["converged"] and not seen.run["stamp"]
    assert seen.run["data_sha256"] == seen.evidence.sha256
    assert seen.run["compared"] == 10 and seen.run["reported"] == len(REPORTED)


def test_fits_are_those_that_a_reader_expects(seen):
    """All studies: tiers AB, A and ABC, the other family, without the early landmark; subsets: AB, and A and ABC where
    a published number asks for them. Tier C has no row of tox, and no other: the rows are then those of AB."""
    wanted = set()
    for endpoint, kind in ((name, row["kind"]) for name, row in ENDPOINTS.items()):
        model = "beta_binomial" if kind == "rate" else "log_hazard"
        asked = {row["subset"] for row in REPORTED.values() if row["endpoint"] == endpoint}
        for subset in ("all", "adult_only", "cd22"):
            wide = ("A", "AB", "ABC") if subset in asked | {"all"} else ("AB",)
            wanted |= {(endpoint, model, subset, tiers, "true") for tiers in wide}
        wanted |= ({(endpoint, "logit_normal", "all", "AB", "true")} if kind == "rate"
                   else {(endpoint, model, "all", "AB", "false")})
    assert set(fits(seen)) == wanted
    assert {key(row) for row in seen.tables["diagnostics.csv"]} == wanted


def test_manifest_of_each_fit(seen):
    for one in seen.run["fits"]:
        studies = studies_of(one["endpoint"], one["subset"], one["tiers"], early=one["early_landmarks"])
        assert (one["k_studies"], one["n_patients"]) == (len(studies), sum(study.n for study in studies))
        assert one["priors"] == {name: str(prior) for name, prior in all_models()[one["model"]].priors.items()}
        assert one["status"] == "converged" and (seen.folder / one["posterior"]).is_file()


def test_saved_posteriors_say_what_they_are(seen):
    for one, entry in fits(seen).items():
        with xr.open_datatree(seen.folder / entry["posterior"]) as tree:
            manifest = json.loads(tree.attrs["manifest"])
            studies = list(tree["posterior"]["study"].values)
        assert (manifest["endpoint"], manifest["model"], manifest["subset"], manifest["tiers"]) == one[:4]
        assert studies == [study.study_id for study in studies_of(one[0], one[2], one[3], early=one[4] == "true")]
        assert manifest["data_sha256"] == seen.evidence.sha256 and manifest["seed"] == entry["seed"]
    assert len(hashlib.sha256().hexdigest()) == len(seen.evidence.sha256) and pytest.approx(1.959964, 1e-6) == Z


def test_every_file_has_its_test(seen):
    """A new CSV of the report fails here until its cells are checked."""
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    assert set(seen.tables) == set(re.findall(r'Table\(seen, "([a-z_]+\.csv)"\)', sources))
