# `make demo` and `make test` set up all they need in .venv; Python 3.10 or later is all they ask for.
PYTHON ?= python3
BIN := .venv/bin
unexport PYTHONDONTWRITEBYTECODE # the tests start hundreds of processes: the sources are compiled once for all

.PHONY: demo test test-long load soak lint coverage docs page vectors bench fuzz mutants wheel clean

demo: .venv/demo-is-installed
	$(BIN)/undersign demo

test: .venv/tests-are-installed
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not long"

test-long: .venv/tests-are-installed
	$(BIN)/python -m pytest -n auto --dist worksteal -m long

# SECONDS=300 CLIENTS=12: a fleet of gateways, of which some are killed.
load: .venv/tests-are-installed
	$(BIN)/python -m tests.gateway.load_run --seconds $(or $(SECONDS),300) --clients $(or $(CLIENTS),12)

# SECONDS=600 CLIENTS=12: proxy and gateway between clients and an upstream that break off, and a Redis that is restarted.
soak: .venv/tests-are-installed
	$(BIN)/python -m tests.gateway.soak --seconds $(or $(SECONDS),600) --clients $(or $(CLIENTS),12)

lint: .venv/all-is-installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

# Of the core alone, by the tests that are its own: each line and branch.
coverage: .venv/all-is-installed
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -q -n auto --dist worksteal -m "not long or sampled" -p no:cacheprovider \
	  tests/core tests/schemes tests/recipes tests/presets \
	  tests/servers/test_signed_answers.py tests/servers/test_events.py tests/cli/test_schemes.py tests/cli/test_recipe.py
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --include="$$(tr '\n' ',' <.ci/core-files)" --show-missing --fail-under=100

docs: .venv/all-is-installed
	$(BIN)/sphinx-build -W --keep-going -q -b html docs build/docs

# SECONDS=600 for each target; FUZZ="http dates" for some of them.
fuzz: .venv/fuzz-is-installed
	$(BIN)/python -m fuzz --seconds $(or $(SECONDS),60) $(FUZZ)

# MODULES="core/dates policy/memory" for some, else those that differ from the commit in BASE.
mutants: .venv/mutants-is-installed
	$(BIN)/python .ci/mutants $(MODULES)

page: .venv/tests-are-installed
	$(BIN)/python docs/page.py build/page

vectors: .venv/tests-are-installed
	$(BIN)/undersign vectors lint
	$(BIN)/python vectors/pack.py dist

bench: .venv/bench-is-installed
	$(BIN)/python benchmarks/core.py --plot docs/_static/speed.svg

wheel: .venv/all-is-installed
	rm -f dist/*.whl dist/undersign-[0-9]*.tar.gz
	$(BIN)/python -m build -q

clean:
	rm -rf .venv build dist

.venv/pip-is-new:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or later is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --upgrade 'pip>=25.1'
	touch $@

.venv/demo-is-installed: pyproject.toml .venv/pip-is-new
	$(BIN)/python -m pip install -q -e '.[requests,httpx,cli]'
	touch $@

.venv/tests-are-installed: pyproject.toml .venv/pip-is-new
	$(BIN)/python -m pip install -q -e '.[all]' --group test
	touch $@ .venv/demo-is-installed

.venv/all-is-installed: pyproject.toml .venv/tests-are-installed
	$(BIN)/python -m pip install -q --group lint --group docs
	touch $@

.venv/mutants-is-installed: pyproject.toml .venv/tests-are-installed
	$(BIN)/python -m pip install -q --group mutants
	touch $@

.venv/fuzz-is-installed: pyproject.toml .venv/tests-are-installed
	$(BIN)/python -m pip install -q --group fuzz
	touch $@

# What builds a release is of these versions and hashes, and nothing else is in that environment.
.venv/release-is-installed: requirements/release.txt .venv/pip-is-new
	$(BIN)/python -m pip install -q --require-hashes -r requirements/release.txt
	touch $@

.venv/bench-is-installed: pyproject.toml .venv/tests-are-installed
	$(BIN)/python -m pip install -q --group bench
	touch $@
