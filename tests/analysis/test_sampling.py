"""A model that cannot be sampled ends as an error with a message, and never as a crash of the process."""

import subprocess
import sys

_SCRIPT = """
import numpy as np
import pymc as pm
from analysis.cases.settings import Sampler
from analysis.inference.nuts import SamplingFailed, sample_graph

def build():
    with pm.Model() as model:
        data = pm.Data("data", np.zeros(3))
        x = pm.Normal("x", 0.0, 1.0)
        pm.Potential("nowhere", (data * x).sum() + np.log(-1.0 - x**2))
    return model

try:
    sample_graph(build, {"data": np.zeros(3)}, key=("nowhere",), keep=("x",), sampler=Sampler(tune=9, draws=9), seed=1)
except SamplingFailed as error:
    print(error)
"""


def test_a_density_without_a_starting_point_is_a_clean_failure() -> None:
    """The process ends at once, as a command does: chains that still call the compiled density would crash it (139)."""
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "nowhere: the sampler stopped: All initialization points failed\n"
