"""The answer in words, and the way to each endpoint."""

from analysis.chapters.answer.section import answer_section
from analysis.chapters.chapter import Chapter

CHAPTER = Chapter("answer", 10, section=lambda results, page: answer_section(results))
