"""What is printed never stops the work: readers that leave, streams closed, full or ASCII, paths of any bytes."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.system.progress import Progress
from analysis.system.streams import Lasting, OutputLost
from tests.evidence.build import write_evidence

ROOT = Path(__file__).resolve().parents[2]
LABEL = "Müller – 日本 🎉"
EVERY = ">&- 2>&- <&-"
ASCII = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.fixture
def folder(tmp_path):
    return write_evidence(tmp_path / "data", endpoints=f"endpoint,label,kind,direction\ncr,{LABEL},rate,benefit\n",
                          studies=f"study_id,label,year\nalpha_2019,{LABEL},2019\nbeta_2021,Beta,2021\n",
                          responses="study_id,endpoint,events,n\nalpha_2019,cr,8,10\nbeta_2021,cr,15,20\n")


def shell(command: str, **environment: str) -> tuple[int, str, str]:
    """Exit code of the first program of a pipe, standard output and standard error."""
    done = subprocess.run(["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, check=False,
                          cwd=ROOT, env={**os.environ, "RECART": sys.executable, **environment})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def recart(arguments: str) -> str:
    return f'"$RECART" -m analysis {arguments}'


@pytest.mark.parametrize("pipe", ["2>&1 | head -1", "2> >(true) | true"])
def test_the_exit_code_is_the_commands_whoever_reads(folder, tmp_path, pipe):
    assert shell(f"{recart('list --data')} {folder} {pipe}")[0] == 0
    for options in ("", "--json"):
        code, out, err = shell(f"{recart('check --data')} {tmp_path / 'nowhere'} {options} {pipe}")
        assert code == 2 and "Traceback" not in out + err and "Broken" not in out + err


def test_files_are_written_although_nobody_reads(folder, tmp_path):
    code, _, err = shell(f"{recart('fit cr --engine exact --output')} {tmp_path}/out --data {folder} 2>&1 | true")
    assert code == 0 and not err
    assert [path.name for path in (tmp_path / "out" / "posteriors").iterdir()] == ["cr.beta_binomial.all.AB.exact.nc"]


@pytest.mark.slow
def test_a_report_is_written_although_nobody_reads(folder, tmp_path):
    report = f'"$RECART" -m tests.exactly report --quick --output {tmp_path}/out --data {folder}'
    code, out, _ = shell(f"{report} 2>&1 | head -1")
    assert code == 0 and out.count("\n") == 1
    assert {"report.html", "run.json", "estimates.csv"} <= {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize("closed", [">&-", "2>&-", EVERY])
def test_closed_streams_are_silent_and_harmless(folder, tmp_path, closed):
    """A note goes to no other stream, and no file takes the number of a closed one, so that prints end up in it."""
    if closed == EVERY:
        posterior = tmp_path / "out" / "posteriors" / "cr.beta_binomial.all.AB.exact.nc"
        assert shell(f"{recart('fit cr --engine exact --output')} {tmp_path}/out --data {folder} {closed}")[0] == 0
        assert posterior.read_bytes()[:8] == b"\x89HDF\r\n\x1a\n"
    code, out, err = shell(f"{recart('check --json --data')} {ROOT / 'data'} {closed}")
    assert code == 0 and "Traceback" not in err
    assert not out if ">&-" in closed.split() else json.loads(out)["notes"], "its notes go to standard error"
    if "2>&-" in closed:
        assert shell(f"{recart('dance')} {closed}")[0] == 2


def test_any_label_can_be_printed_on_an_ascii_stream(folder):
    code, out, err = shell(f"{recart('list --data')} {folder}", **ASCII)
    assert code == 0 and not err and "M\\u00fcller \\u2013 \\u65e5\\u672c \\ud83c\\udf89" in out
    found = [shell(f"{recart(command)} --json --data {folder}", **ASCII) for command in ("list", "check")]
    assert all(code == 0 and out.isascii() and json.loads(out) for code, out, _ in found)
    assert json.loads(found[0][1])["endpoints"][0]["label"] == LABEL


def test_paths_that_are_no_utf8_are_read_but_not_written(folder, tmp_path):
    os.rename(folder, os.fsencode(tmp_path) + b"/d\xff")
    code, out, _ = shell(f"{recart('check --json --data')} {tmp_path}/$'d\\xff'")
    assert code == 0 and json.loads(out)["data"] == f"{tmp_path}/d\udcff"
    for command in ("fit cr", "report"):
        code, out, err = shell(f"{recart(command)} --data {tmp_path}/$'d\\xff' --output {tmp_path}/$'o\\xff'")
        assert code == 2 and not out and "is not UTF-8" in err and "Traceback" not in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device is Linux's")
def test_a_full_standard_output_is_named(folder):
    code, _, err = shell(f"{recart('list --data')} {folder} > /dev/full")
    assert (code, err) == (2, "standard output cannot be written: No space left on device\n")
    assert shell(f"{recart('list --data')} {folder} > /dev/full 2>&1")[0] == 2


class Torn(io.StringIO):
    """A stream without a reader, or on a full disk."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    flush = isatty = lambda self: False


def test_progress_goes_on_without_a_reader():
    progress = Progress(2, stream=Lasting(Torn(BrokenPipeError(32, "Broken pipe")), vital=False))
    progress.say("begins")
    progress.step("one")
    progress.close()
    print("more", file=Lasting(Torn(OSError(28, "full")), vital=False))
    with pytest.raises(OutputLost, match="full"):
        print("more", file=Lasting(Torn(OSError(28, "full")), vital=True))


def test_a_librarys_warning_is_one_line_without_a_path(folder):
    code = ("import sys, warnings; from analysis.system.streams import lasting_streams\n"
            "with lasting_streams(): warnings.warn('overflow\\nencountered', RuntimeWarning)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stderr == "RuntimeWarning of a library: overflow encountered\n"


EXTREMES = {  # Counts at both ends, where an overflow or a division by zero in a library would show.
    "studies": "study_id,label,year\nzero,Zero,2000\nfull,Full,2001\nfew,Few,2002\nmore,More,2004\n",
    "covariates": "covariate,label,column\nyear,Year,year\n",
    "responses": "study_id,endpoint,events,n\nzero,cr,0,30\nfull,cr,9000000,9000000\nfew,cr,1,2\nmore,cr,3,9\n"}
OWN = ("warning: ", "note: ", "left out: ", "not estimated: ", "NOT CONVERGED: ", "Compiling the model", "[")


def test_commands_write_their_own_lines_to_standard_error_only(folder):
    data = write_evidence(folder, **EXTREMES)
    commands = ("check", "fit cr --engine exact", "regress cr --quick",
                "calibrate beta_binomial --replicates 20 --processes 1")
    code = "import sys; from analysis.__main__ import main; print([main(one.split()) for one in sys.argv[1:]])"
    done = subprocess.run([sys.executable, "-c", code, *(f"{command} --data {data}" for command in commands)],
                          capture_output=True, text=True, check=False, cwd=ROOT)
    assert set(json.loads(done.stdout.splitlines()[-1])) <= {0, 3}
    assert [line for line in done.stderr.splitlines() if not line.startswith(OWN)] == []


@pytest.mark.slow
def test_a_fit_without_a_home_compiles_in_a_temporary_folder(folder, tmp_path):
    """Started as a model, which starts the command line anew."""
    data = write_evidence(folder, **EXTREMES)
    (tmp_path / "temporary").mkdir()
    code, out, err = shell(f'"$RECART" -m models.beta_binomial cr --quick --data {data}', HOME="/dev/null",
                           TMPDIR=str(tmp_path / "temporary"), PYTENSOR_FLAGS="")
    assert code in (0, 3) and ("mean_rate" in out) == (code == 0), err
    lines = [line for line in err.splitlines() if "atplotlib" not in line]
    assert "/dev/null/.pytensor cannot be written: compiled code goes to" in lines[0]
    assert [line for line in lines[1:] if not line.startswith(OWN)] == []
    assert not list((tmp_path / "temporary").glob("recart-*"))
