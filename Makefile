# The two commands of the README. Each makes its own virtual environment.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# Rich wraps log lines at 80 columns where there is no terminal.
export COLUMNS ?= 140
export DO_NOT_TRACK := 1

.PHONY: demo demo-tiles test practice cluster runs docs clean

# torch first and with its exact pin, so that nothing behind it asks for another build.
$(VENV)/installed: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --constraint requirements.lock torch
	$(BIN)/pip install --constraint requirements.lock --editable '.[dask,dev,histology,notebook,scverse,serve]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/kedro run --env demo
	@echo
	@echo "Report:             data/08_reporting/demo/report.html   (open it in a browser)"
	@echo "Tables and figures: data/08_reporting/demo/"
	@echo "Completed patients: data/07_model_output/demo/completed_cohort/"
	@echo "Models:             data/06_models/demo/"
	@echo "Lineage:            $(BIN)/kedro viz run --env demo"
	@echo "Notebook:           $(BIN)/kedro jupyter lab --env demo   (notebooks/first_steps.ipynb)"

# RNA-CDM: tiles from expression, on simulated tissue.
demo-tiles: $(VENV)/installed
	$(BIN)/kedro run --env demo --pipelines rna_cdm
	@echo
	@echo "Real beside generated:  data/08_reporting/demo/tile_sheet.png"
	@echo "Programmes:             data/08_reporting/demo/tile_programmes.csv, moved_profiles.png"
	@echo "Generated tiles:        data/07_model_output/demo/generated_tiles/"

test: $(VENV)/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadgroup --max-worker-restart 0

practice: $(VENV)/installed
	$(BIN)/pytest -m practice tests/practice

cluster: $(VENV)/installed
	$(BIN)/pytest -m cluster tests/end_to_end

runs: $(VENV)/installed
	$(BIN)/pytest -n auto --dist loadfile -m runs tests/end_to_end

docs: $(VENV)/installed
	$(BIN)/pip install --constraint requirements.lock --editable '.[docs]'
	$(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV)
