"""What is done with the models: evidence, sampling, diagnostics, estimands, comparison, figures, report."""

import os

# Two processes share the work already; linear algebra on small matrices only loses time to threads of its own. It has
# to be said before numpy is loaded, and leaves alone what a user has set.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
