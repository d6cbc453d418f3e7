"""`report`: the main job. Starts the second process before the sampler is loaded, then hands over."""

import argparse
from dataclasses import replace

from analysis.arguments import base_job, writable
from analysis.evidence import load
from analysis.processes import helper
from analysis.selection import candidates, refuse_shared_patients


def run(options: argparse.Namespace) -> int:
    """Write all results below --output; exit code 3 where a fit failed its diagnostics."""
    evidence = load(options.data)
    base = base_job(options)
    if base.priors:
        from analysis.planning import check_priors
        check_priors(base)
    refuse_shared_patients(evidence, (candidates(evidence, replace(base.question, endpoint=endpoint.endpoint))
                                      for endpoint in evidence.endpoints))
    folder = writable(options.output)
    with helper(evidence) as submit:
        from analysis.making import make
        return make(evidence, base, folder, options, submit)
