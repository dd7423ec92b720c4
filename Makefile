# Every target works on a fresh clone by itself; Python 3.11 or newer with venv is all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := demo-output
MINUTES ?= 30
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test lint bench soak clean

demo: $(VENV)/.installed
	@mkdir -p $(OUT)
	$(BIN)/fer-stream run --source demo --sink console --sink csv:$(OUT)/demo.csv --sink video:$(OUT)/demo.mp4
	@echo "rows:            $(OUT)/demo.csv"
	@echo "annotated video: $(OUT)/demo.mp4"

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/speed.py --write

# Needs GStreamer's RTSP server and mosquitto; .ci/run says how Debian calls them.
soak: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.soak --minutes $(MINUTES)

clean:
	rm -rf $(VENV) $(OUT)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "installing fer-stream into $(VENV)"
	$(PIP) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml training/pyproject.toml plugins/mqtt/pyproject.toml | $(BIN)/python
	@echo "installing fer-stream, its other packages and the test tools into $(VENV)"
	$(PIP) -e '.[dev]' -e 'training[tensorflow]' -e plugins/mqtt
	@touch $(VENV)/.installed $@
