"""Command line of the analysis: `python -m analysis COMMAND`, or `recart COMMAND`."""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from analysis.cases.settings import EXACT
from analysis.commands.arguments import OptionError, parser
from analysis.evidence.problems import EvidenceError
from analysis.system.errors import UsageError, one_line
from analysis.system.interrupts import end_on_signals
from analysis.system.streams import OutputLost, lasting_streams
from analysis.system.surroundings import keep_compiled_code, keep_freed_memory

_SAMPLING = ("report", "fit", "regress", "compare")
DONE, UNEXPECTED, BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code, whoever reads what it prints.

    Without arguments this is the program itself, which ends on signals; a notebook that calls it does not.
    """
    with lasting_streams():
        if arguments is None:
            end_on_signals()
            keep_freed_memory()
        try:
            code = _run(arguments)
            sys.stdout.flush()
            return code
        except OutputLost as error:
            print(error, file=sys.stderr)
            return BAD_INPUT
        finally:
            _tell_broken_models()
            sys.stderr.flush()


def _tell_broken_models() -> None:
    """Which model files offer no model and why; a command that asks for no model has not loaded any."""
    broken = getattr(sys.modules.get("models"), "broken", dict)
    for file, reason in broken().items():
        print(one_line(f"models/{file} is left out: {reason}"), file=sys.stderr)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = parser().parse_args(arguments)
    except SystemExit as stop:  # after --help
        return int(stop.code or 0)
    except OptionError as error:
        print(f"{error.usage}{error}", file=sys.stderr)
        return BAD_INPUT
    try:
        if options.command in _SAMPLING and getattr(options, "engine", "") != EXACT:
            keep_compiled_code()
        return import_module(f"analysis.commands.{options.command}").run(options)
    except EvidenceError as error:
        print(error, file=sys.stderr)
        place = one_line(str(getattr(options, "source", None) or options.data))
        print(f"{len(error.problems)} problem(s) in {place}; nothing was written.", file=sys.stderr)
        return BAD_INPUT
    except UsageError as error:
        print(f"{options.command}: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except OutputLost:
        raise
    except Exception:
        traceback.print_exc()
        print("This is an error of the program, not of its input.", file=sys.stderr)
        return UNEXPECTED


def run_model(name: str) -> NoReturn:
    """`python -m models.NAME ENDPOINT ...`: fit one endpoint with that model.

    The program starts anew, since PyTensor, which a model loads, takes its settings only once.
    """
    os.execv(sys.executable, [sys.executable, "-m", "analysis", "fit", "--model", name, *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
