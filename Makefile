# Everything that can be done here. `make` alone lists it; .ci/run uses the same targets.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
PEERS ?= .venv-peers
RAY ?= .venv-ray
RUN_ARGS ?=
PYTEST_ARGS ?=
PROOFS ?=

BIN := $(VENV)/bin
USE := $(VENV)/.for-use
DEV := $(VENV)/.for-development
PIP := $(BIN)/python -m pip --disable-pip-version-check
DECLARED := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help run test coverage quick check format packages browser docs site notebooks constraints constraints-check proof ray-test peers clean

help: ## list what can be done
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(USE) ## set up, answer the notebook's question: its five networks, with more seeds until it is decided
	$(BIN)/paribus run mnist-mlps --until-decided $(RUN_ARGS)

test: $(DEV) packages ## set up for development, run all tests, in two processes
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

coverage: $(DEV) packages ## run all tests and count the lines that they pass, a third slower; fails below the coverage floor
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov=paribus $(PYTEST_ARGS)

quick: $(DEV) ## run the tests that take seconds
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

check: $(DEV) ## lint, format, types, and who may import whom; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(DEV) ## format the code and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

packages: ## install what tests use of Debian's packages, where it is missing and apt-get may
	@tools/packages chromium libatomic1 dataset-fashion-mnist

browser: ## of these, install Chromium and what drives it
	@tools/packages chromium libatomic1

docs: $(DEV) ## write the pages that are generated from the code: help texts of commands and the like
	for page in docs/*_page.py; do $(BIN)/python "$$page" || exit 1; done

site: $(DEV) ## build the documentation as a site, out/site/index.html; every warning is an error
	@rm -f out/site/.built
	$(BIN)/python -m sphinx -q -W --keep-going -j 2 -c docs -d out/doctrees -b html . out/site
	@touch out/site/.built

notebooks: $(DEV) ## run the notebooks of examples/ in full and write them with their outputs
	$(BIN)/python examples/notebooks.py

constraints: $(BIN)/python ## resolve all dependencies into constraints.txt again, for the oldest Python
	$(BIN)/python tools/constraints.py write

constraints-check: $(BIN)/python ## check constraints.txt against every Python that the README names; installs nothing
	$(BIN)/python tools/constraints.py check

proof: $(DEV) constraints-check ## prove what takes long or a machine of its own; goes on where it stopped (PROOFS="name ...")
	$(BIN)/python -m proof $(PROOFS)

dist: $(DEV) ## build wheel and sdist, check them, install the wheel into an empty environment and run a study with it
	rm -rf dist && $(BIN)/python -m build --outdir dist .
	$(BIN)/python -m twine check --strict dist/*
	tools/check-wheel "$(PYTHON)"

ray-test: $(RAY)/.for-ray ## set up an environment with Ray in RAY=.venv-ray, and test `--backend ray` on a cluster of two nodes here
	$(RAY)/bin/python -m pytest -m proof -W default tests/backends/test_contract.py tests/backends/test_ray_cluster.py $(PYTEST_ARGS)

peers: ## set up the environment of the tools that benchmarks/peers compares with, in PEERS=.venv-peers
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet -c benchmarks/peers/constraints.txt \
	  keras tensorflow-cpu torch jax scikit-learn ictonyx keras-tuner tensorboard threadpoolctl

clean: ## remove what was installed and cached here; stored runs (paribus-runs) stay
	rm -rf $(VENV) $(RAY) dist build out/site out/doctrees htmlcov .coverage .coverage.* .*_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, not '$(PYTHON)'; name one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(USE): $(BIN)/python $(DECLARED)
	$(PIP) install --quiet -c constraints.txt -e '.[tables]'
	touch $@

$(DEV): $(BIN)/python $(DECLARED)
	$(PIP) install --quiet -c constraints.txt -e '.[dev]'
	touch $(USE) $@

$(RAY)/.for-ray: $(DECLARED)
	$(PYTHON) -m venv $(RAY)
	$(RAY)/bin/python -m pip --disable-pip-version-check install --quiet -c constraints.txt -e '.[ray]' pytest hypothesis
	touch $@
