"""What is done with the models: evidence, sampling, diagnostics, estimands, comparison, figures, report."""

import os
import signal
import sys

# Two processes share the work already; linear algebra on small matrices only loses time to threads of its own. It has
# to be said before numpy is loaded, and leaves alone what a user has set.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# While `python -m analysis` still loads the program, an interrupt ends it without a traceback.
if sys.argv[:1] == ["-m"] and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
