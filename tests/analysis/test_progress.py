"""Progress says enough on a terminal and little elsewhere."""

import io

from analysis.system.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_elsewhere_a_tenth_of_the_steps_prints_a_line():
    stream = io.StringIO()
    progress = Progress(50, stream=stream)
    for step in range(50):
        progress.step(f"fit {step}")
    lines = stream.getvalue().splitlines()
    assert 10 <= len(lines) <= 11 and lines[-1].startswith("[50/50]") and "\r" not in stream.getvalue()


def test_on_a_terminal_one_line_is_redrawn_and_removed():
    stream = Terminal()
    progress = Progress(2, stream=stream)
    progress.step("first")
    progress.close()
    assert "first" in stream.getvalue() and "\n" not in stream.getvalue() and stream.getvalue().endswith("\r\x1b[2K")
