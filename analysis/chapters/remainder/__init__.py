"""Published numbers and rows of the evidence that the answer does not hold."""

from analysis.chapters.chapter import Chapter
from analysis.chapters.remainder.section import left_out_section, remainder_section
from analysis.drawing.html import join

CHAPTER = Chapter("remainder", 130, section=lambda results, page: join(
    [remainder_section(results), left_out_section(results)], "\n\n"))
