"""Models with their priors, diagnostics, and how to run it again."""

from analysis.chapters.chapter import Chapter
from analysis.chapters.workings.section import diagnostics_section, method_section, reproduce_section
from analysis.drawing.html import join

CHAPTER = Chapter("workings", 140, section=lambda results, page: join(
    [method_section(results), diagnostics_section(results), reproduce_section(results)], "\n\n"))
