"""The digest of the code changes with what is computed, and with nothing else."""

import pytest

from analysis.calibration import code
from analysis.calibration.code import code_sha256, meaning

SOURCE = '"""Doc."""\nX = 1.5\n"""What X is."""\n\n\ndef f(a):\n    """Double."""\n    return 2 * a\n'


@pytest.mark.parametrize("same", [
    SOURCE.replace("Double", "Twice"), SOURCE.replace("What X is", "X"), SOURCE.replace("2 * a", "(2 * a)  # reason"),
    SOURCE.replace("\n\n\n", "\n"), 'X = 1.5\ndef f(a):\n    return 2 * a\n'])
def test_comments_docstrings_and_layout_do_not_matter(same):
    assert same != SOURCE and meaning(same) == meaning(SOURCE)


@pytest.mark.parametrize("other", [
    SOURCE.replace("1.5", "1.6"), SOURCE.replace("2 * a", "a * 2"), SOURCE.replace("2 * a", "None"),
    SOURCE.replace("2 * a", "0"), SOURCE.replace("f(a)", "f(a, b=1)"), SOURCE.replace("2 * a", '"Double"')])
def test_code_does_matter(other):
    assert other != SOURCE and meaning(other) != meaning(SOURCE)


def test_each_module_that_takes_part_is_in_the_digest(tmp_path, monkeypatch):
    for folder in ("models", "analysis/exact"):
        (tmp_path / folder).mkdir(parents=True)
    files = {"models/one.py": "from models.two import f\n", "models/two.py": "import models.three\n",
             "models/three.py": "X = 1\n", "models/other.py": "X = 1\n", "analysis/exact/grid.py": "X = 1\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(code, "_ROOT", tmp_path)
    before = code_sha256("one")
    for name, text in files.items():
        (tmp_path / name).write_text(text + "Y = 2\n")
        assert (code_sha256("one") == before) == (name == "models/other.py")
        (tmp_path / name).write_text(text + "# why\n")
        assert code_sha256("one") == before
