"""`report`: the main job. Starts the second process before the sampler is loaded, then hands over."""

import argparse
from dataclasses import replace

from analysis.cases.selection import candidates, refuse_shared_patients
from analysis.commands.arguments import base_job
from analysis.commands.printing import load_and_note
from analysis.output import replacing
from analysis.runs.workers import helper
from analysis.system.errors import UsageError


def run(options: argparse.Namespace) -> int:
    """Put all results in the place of --output; exit code 3 where a fit failed its diagnostics."""
    if options.quick and options.png:
        raise UsageError("--png writes the figures as PNG and --quick draws none; leave one of the two out")
    evidence = load_and_note(options.data)
    base = base_job(options)
    if base.priors:
        from analysis.runs.plan import check_priors
        check_priors(base)
    refuse_shared_patients(evidence, (candidates(evidence, replace(base.question, endpoint=endpoint.endpoint))
                                      for endpoint in evidence.endpoints))
    with replacing(options.output, data=options.data) as folder, helper(evidence) as executor:
        from analysis.runs.report import make
        results, manifest = make(evidence, base, folder, options, executor)
    from analysis.runs.report import tell
    return tell(results, manifest, options)
