# Everything starts here; `make` alone prints this list. Each target creates the environment by itself.
SHELL := /bin/sh
.DEFAULT_GOAL := help

BASE_PYTHON ?= python3
VENV ?= .venv
# Which day the levels' stories begin with: the last day that is known.
AS_OF ?= 2017-06-04
CUSTOMER ?= 1
RELEASE ?= candidate
# What a user may name reaches the shell as a variable and in quotes, never as part of a command.
export BASE_PYTHON VENV AS_OF CUSTOMER RELEASE
PYTHON = "$$VENV/bin/python"
MLOPS = $(PYTHON) -m mlops
# The last day that a workflow's step may know of; without one, the day that the shop has reached.
KNOWN = $${ASKED_DAY:+--as-of "$$ASKED_DAY"}
JUDGED = $${JUDGE_ONLY:+--judge-only}

# Every target runs the code of this folder, also with an environment that another checkout uses, and none of the
# user's settings for other programs.
export PYTHONPATH = $(CURDIR)
unexport PYTHONSAFEPATH PYTHONHOME PYTHONWARNINGS PYTHONSTARTUP PYTHONINSPECT PYTHONOPTIMIZE PYTHONPLATLIBDIR
# Without compiled modules each of our processes compiles all that it imports: seconds, each time.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTEST_ADDOPTS PYTEST_PLUGINS MYPYPATH GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX GIT_COMMON_DIR
export MLFLOW_DISABLE_TELEMETRY = true
export DO_NOT_TRACK = true
export PREFECT_SERVER_ANALYTICS_ENABLED = false

.PHONY: help setup demo level1 level2 level3 level4 test test-fast mutants test-push test-long check format lock clean level3-train level3-stage level3-deploy level3-ask level3-offer-live level3-take-live level4-tick

help: ## print this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## create the environment from the hash-locked requirements
	@"$$BASE_PYTHON" -I .ci/environment.py "$$VENV"

demo: setup ## play six weeks and three incidents through all four levels and compare them
	@$(MLOPS) compare --demo

level1: setup ## level 1: carry out the runbook, as a person would (HANDS_ON=1: do it yourself)
	$(PYTHON) -m stories.level1 --as-of "$$AS_OF" --customer "$$CUSTOMER" $(if $(HANDS_ON),--hands-on)

level2: setup ## level 2: train and deploy with one command
	$(MLOPS) --level 2 pipeline run --as-of "$$AS_OF"
	$(MLOPS) --level 2 ask "$$CUSTOMER"

level3: setup ## level 3: push commits, and watch GitHub Actions test, train and deploy them (HANDS_ON=1: push yourself)
	$(PYTHON) -m stories.level3 --as-of "$$AS_OF" --customer "$$CUSTOMER" $(if $(HANDS_ON),--hands-on)

level4: setup ## level 4: eighty days of the loop that watches, decides, retrains, promotes and goes back
	$(PYTHON) -m stories.level4

level3-train: setup ## what the workflow runs: train, judge and register
	$(MLOPS) --level 3 pipeline run $(KNOWN) $(JUDGED)

level3-stage: setup ## what the workflow runs: try a release out in staging
	$(MLOPS) --level 3 deploy model --version "$$RELEASE" $(KNOWN) --dry-run

level3-deploy: setup ## what the workflow runs: start the service if none runs, switch, check, go back if it fails
	$(MLOPS) --level 3 serve --background
	$(MLOPS) --level 3 deploy model --version "$$RELEASE" $(KNOWN)

level3-ask: setup ## what the workflow runs: ask the live service for a recommendation
	$(MLOPS) --level 3 ask "$$CUSTOMER"

level3-offer-live: setup ## what the workflow runs: copy the live release for pull requests to be compared with
	$(PYTHON) -m level3_cicd.tools.live_copy offer

level3-take-live: setup ## what the workflow runs: take the newest copy of the live release, if one is offered
	$(PYTHON) -m level3_cicd.tools.live_copy take

level4-tick: setup ## what the scheduled workflow runs: a tick for each day that has arrived; fails while an alarm is open
	$(MLOPS) --level 4 loop start --once --fail-on-alarm

test: setup ## run all tests but the longest stories (several minutes)
	$(PYTHON) -m pytest -m "not story and not thorough" --cov --cov-report=json:coverage.json
	$(PYTHON) tests/coverage_floor.py coverage.json
	$(PYTHON) -m pytest -m "(story or thorough) and not long"

test-long: setup ## run the longest stories: three shops of unlike habits, and level 4's eighty days
	"$$VENV/bin/python" -m pytest -m long

test-push: setup ## run the tests that a push waits for: the fast ones of what trains, judges and ships a release
	"$$VENV/bin/python" -m pytest -n auto --maxprocesses 4 --dist loadfile -m "not story and not thorough" -k "not drift and not monitor" tests/level3_cicd tests/shared/model tests/shared/release

mutants: setup ## break the code in one place at a time, and look whether fast tests notice (an hour, by hand)
	$(PYTHON) tests/mutants.py

test-fast: setup ## run all fast tests: no stories, nothing slow
	$(PYTHON) -m pytest -m "not story and not thorough"

check: setup ## format, lint, types, import contracts, workflow lint
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	"$$VENV/bin/lint-imports"
	"$$VENV/bin/zizmor" --offline --quiet .github/workflows
	"$$VENV/bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml

format: setup ## format the code and mend what the linter can
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

lock: setup ## resolve the requirements anew
	$(PYTHON) -m uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --no-annotate --quiet --output-file requirements.lock

clean: ## stop what runs and remove all state, but not the environment (another home: make clean MLOPS_HOME=...)
	@if [ -x "$$VENV/bin/python" ]; then $(PYTHON) -m mlops.clean $(if $(findstring command,$(origin MLOPS_HOME)),--named); \
	  else rm -rf var live-copy; fi
