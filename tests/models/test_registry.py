"""A model is one file, and a file that is none spoils no other."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from models import all_models, broken, models_of
from models.model import NeedsDensity

from .third_model import MODEL as THIRD

ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = """
import sys
import models
models.__path__.append(sys.argv[1])
print(*(model.name for model in models.models_of("rate")))
print(*(f"{name}: {reason}" for name, reason in models.broken().items()), sep="\\n")
"""
_BROKEN = {
    "no_name.py": ("MODEL = nothing", "no_name.py: NameError: name 'nothing' is not defined"),
    "syntax.py": ("def build(:", "syntax.py: SyntaxError: invalid syntax (syntax.py, line 1)"),
    "text.py": ("MODEL = 'third'", "text.py: TypeError: MODEL is no models.model.Model but str"),
    "twice.py": ("from models.beta_binomial import MODEL",
                 "twice.py: ValueError: another file has a model beta_binomial already"),
    "unfinished.py": ("from models.model import Model\nMODEL = Model(name='x', kind='rate')",
                      "unfinished.py: TypeError: Model.__init__() missing 3 required positional arguments: 'priors', "
                      "'build', and 'estimands'"),
}


def test_adding_a_model_is_adding_one_file_and_a_broken_file_spoils_only_itself(tmp_path: Path) -> None:
    (tmp_path / "third.py").write_text((ROOT / "tests" / "models" / "third_model.py").read_text())
    for name, (text, _) in _BROKEN.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run([sys.executable, "-c", _PROGRAM, str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
                          check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    rates, *reasons = done.stdout.splitlines()
    assert rates.split() == ["beta_binomial", "logit_normal", "third"]
    assert reasons == [reason for _, reason in _BROKEN.values()]


def test_headlines_and_nothing_broken() -> None:
    assert [models_of(kind)[0].name for kind in ("rate", "survival")] == ["beta_binomial", "log_hazard"]
    assert all(model.name == name for name, model in all_models().items()) and not broken()


@pytest.mark.parametrize(("changed", "message"), [
    ({"kind": "count"}, "kind is 'count'; it must be rate or survival"),
    ({"estimands": {"median_rate": "middle"}}, "estimands names no variable for mean_rate"),
    ({"kind": "survival"}, "estimands names no variable for eta and tau"),
])
def test_what_every_model_must_say(changed: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(THIRD, **changed)


def test_no_density_is_asked_of_a_model_without_one() -> None:
    with pytest.raises(NeedsDensity, match="needs a density: model third has none"):
        _ = THIRD.density
