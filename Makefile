# nas_tutorial: `make help` lists what there is. Relative paths only, so that a folder with a space in its name works.
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3 || command -v python3.13 || command -v python3.12 || command -v python3.11 || echo python)
TORCH_INDEX ?= auto
NB ?=
ARGS ?=
# Small networks run fastest with one thread, and a waiting thread should leave the core to others.
export OMP_NUM_THREADS ?= 1
export OMP_WAIT_POLICY ?= PASSIVE
# What Colab has, laid over the packages of .venv, and what these need besides.
COLAB := ipywidgets==7.7.1 ipython==7.34.0 ipykernel==6.17.1 ipython_genutils backcall decorator pickleshare
VENV := "$(PYTHON)" tools/make_venv.py --torch-index "$(TORCH_INDEX)"
BIN := .venv/bin

.PHONY: help demo test test-colab solved lab notebooks slides chaos fuzz audit limits test-matrix lint format clean

help:  ## list the commands
	@echo "nas_tutorial: learn neural architecture search by running it"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 18
	@echo
	@echo "Variables: PYTHON=python3.12 (which Python), TORCH_INDEX=default or a URL (where torch comes from),"
	@echo "           NB=03 (which notebook), ARGS='-k darts' (more words for pytest)"

demo:  ## search with DARTS, ENAS and at random; leaderboard and report in runs/demo
	@$(VENV)
	@$(BIN)/nas-tutorial demo

test:  ## all tests, notebooks included
	@$(VENV) --extra test
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile --nbval-lax --nbval-current-env --cov=nas_tutorial --cov-report=term $(ARGS)

test-colab:  ## the tests of widgets with the versions that Colab has, of ipywidgets, IPython and ipykernel
	@$(VENV) --extra test
	@test -d build/colab || $(BIN)/python -m pip install -q --no-deps --target build/colab $(COLAB)
	@PYTHONPATH="$(CURDIR)/build/colab" $(BIN)/python -m pytest -q -p no:cacheprovider tests/test_widgets.py $(ARGS)

solved:  ## run the notebooks with every known answer to their exercises
	@$(VENV) --extra test
	@$(BIN)/python -m pytest -q -n 2 -m solved tests/test_solved.py $(ARGS)

lab:  ## open JupyterLab on the first notebook
	@$(VENV) --extra notebooks
	@$(BIN)/python -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb

notebooks:  ## run notebooks/source/*.py into notebooks/*.ipynb (one of them: NB=03)
	@$(VENV) --extra workshop
	@$(BIN)/python -m tools.notebooks $(NB)

slides:  ## slides for lectures, slides/*.html (one of them: NB=03)
	@$(VENV) --extra workshop
	@$(BIN)/python -m tools.slides $(NB)

chaos:  ## end searches, trainings, tables, notebooks and the demonstration at random moments
	@$(VENV) --extra workshop
	@$(BIN)/python -m benchmarks.chaos --out benchmarks/results/chaos.json $(ARGS)

fuzz:  ## feed damaged files and texts to every parser, for some minutes
	@$(VENV) --extra test
	@$(BIN)/python -m benchmarks.fuzz --out benchmarks/results/fuzz.json $(ARGS)

audit:  ## known holes in dependencies, dangerous code, licences
	@$(VENV) --extra dev
	@$(BIN)/python -m tools.audit

limits:  ## every notebook on a small machine without a network, into docs/limits.md
	@$(VENV) --extra workshop
	@$(BIN)/python -m tools.limits $(NB)

test-matrix:  ## the quick tests with other Pythons, torches and ipywidgets
	@"$(PYTHON)" tools/matrix.py $(ARGS)

lint:  ## what a commit must pass
	@$(VENV) --extra dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/python -m tools.notebooks --check
	@$(BIN)/python -m tools.slides --check

format:  ## put the commas where ruff wants them
	@$(VENV) --extra dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:  ## remove .venv, slides and caches; your runs stay
	rm -rf .venv build *.egg-info slides/*.html .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* htmlcov
	find nas_tutorial tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
