"""A model is one file."""

import subprocess
import sys
from pathlib import Path

import models
from models import all_models, models_of

_FILE = '''
"""A third model of a rate."""
from dataclasses import replace
from models.beta_binomial import MODEL as _OTHER
MODEL = replace(_OTHER, name="third", rank=7)
'''

_PROGRAM = """
import sys
import models
models.__path__.append(sys.argv[1])
print(*models.all_models())
print(*(model.name for model in models.models_of("rate")))
"""


def test_adding_a_model_is_adding_one_file(tmp_path: Path) -> None:
    (tmp_path / "third.py").write_text(_FILE)
    root = Path(models.__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    everything, rates = (line.split() for line in done.stdout.splitlines())
    assert set(everything) == {*all_models(), "third"}
    assert rates == [*(model.name for model in models_of("rate")), "third"]


def test_headlines() -> None:
    assert models_of("rate")[0].name == "beta_binomial"
    assert models_of("survival")[0].name == "log_hazard"


def test_every_model_is_complete() -> None:
    for name, model in all_models().items():
        assert model.name == name
        assert model.kind in ("rate", "survival")
        assert set(model.priors) == set(model.supports)
        assert all(prior.support == model.supports[parameter] for parameter, prior in model.priors.items())
