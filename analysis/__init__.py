"""What is done with the models: evidence, sampling, diagnostics, estimands, comparison, figures, report."""

import os
import signal
import sys
from importlib import import_module
from typing import Any

__all__ = ["compare", "design", "fit", "load", "predict", "regress", "update"]

# Two processes share the work already; linear algebra on small matrices only loses time to threads of its own. It has
# to be said before numpy is loaded, and leaves alone what a user has set.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The densities run as fast after the compiler's first level of optimisation, which takes a second less for each.
os.environ.setdefault("NUMBA_OPT", "1")

# While `python -m analysis` still loads the program, an interrupt ends it without a traceback.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def __getattr__(name: str) -> Any:
    """The functions for notebooks, loaded when one is asked for: every command imports this package."""
    if name in __all__:
        return getattr(import_module("analysis.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
