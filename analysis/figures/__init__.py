"""Figures: each is a function of tidy rows. `analysis.figures.all` draws those of a run."""
