"""The answer in words, and the way to each endpoint."""

from analysis.chapters.answer.section import contents, summary
from analysis.chapters.chapter import Chapter
from analysis.drawing.html import join

CHAPTER = Chapter("answer", 10, section=lambda results, page: join([summary(results), contents(results)], "\n\n"))
