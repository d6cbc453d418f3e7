"""What is done with the models: evidence, sampling, diagnostics, estimands, comparison, figures, report."""
