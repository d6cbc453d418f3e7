# `make` sets up .venv (once) and writes the report. `make help` lists the rest.
# ARGS goes to the command: make report ARGS="--quick"; make test ARGS="-k setup". PYTHON names the Python of .venv.

PY := .venv/bin/python
ARGS ?=
JOBS ?= 2

# Modules that a cluster's or a user's shell puts there would shadow the pinned ones.
unexport PYTHONHOME PYTHONPATH

.PHONY: report check test bench calibration lint checksums setup lock clean help

report: setup   ## run everything and write results/ (the default)
	@$(PY) -m analysis report $(ARGS)

check: setup    ## validate the evidence tables
	@$(PY) -m analysis check $(ARGS)

test: setup     ## run the tests, JOBS at a time
	@$(PY) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

bench: setup    ## measure speed
	@$(PY) -m analysis.bench $(ARGS)

calibration: setup ## renew the pinned calibrations of models and regressions, after a change of their numbers
	@$(PY) -m analysis.simulation.record --output tests/calibration $(ARGS)
	@$(PY) -m analysis.simulation.regression --write tests/regression/calibration.json
	@$(PY) -m analysis.simulation.end_to_end --record --factor 1.25 --factor 1.15 --output build

lint: setup     ## check the style of the code
	@$(PY) -m ruff check .

checksums: setup ## renew data/SHA256SUMS after a change of the tables or their texts
	@$(PY) -m tests.data.checksums --write

setup:          ## install the pinned packages into .venv, if they are not there
	@sh .ci/setup

lock:           ## pin the newest versions that pyproject.toml allows
	@python=$$(sh .ci/find-python) && "$$python" .ci/lock.py

clean:          ## remove everything generated: results, caches, .venv
	rm -rf results .venv .pytest_cache .ruff_cache .hypothesis recart.egg-info build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:           ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST)
