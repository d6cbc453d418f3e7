"""What limits the answer."""

from analysis.chapters.caveats.section import caveat_section
from analysis.chapters.chapter import Chapter

CHAPTER = Chapter("caveats", 30, section=lambda results, page: caveat_section(results))
