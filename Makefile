# Every target works on a fresh clone by itself; Python 3.11 or newer with venv is all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := demo-output
MINUTES ?= 30
DATA ?= fer2013.csv
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test lint bench soak model model-cpu clean

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

# Needs GStreamer's RTSP server and mosquitto; .ci/run says how Debian calls them. The webcam that is
# unplugged needs a virtual machine as well, and is left out where there is none.
soak: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/faults/test_webcam.py
	PYTHONPATH=. $(BIN)/python benchmarks/soak.py --minutes $(MINUTES)

# The default model from FER-2013, `make model DATA=fer2013.csv`, in parts that go on where they
# stopped. On the CPU: four networks, each taught by those before it, four hours on two cores
# (`make model-cpu` makes an int8 file of the last). On a GPU, with a JAX that knows it: four large
# networks and the one that they teach, 13 minutes on an NVIDIA H200 (the folder runs/distil can be
# brought from there). On the CPU again: that one is refined, both ways of learning teach each other
# for two hours, and at last the refined one learns what all four of these say together, in half an
# hour; then its int8 twin.
model: runs/default.onnx
model-cpu: runs/default-cpu.onnx

LEARN = $(BIN)/fer-stream train --data $(DATA) --out $(@D) $(if $(wildcard $(@D)/checkpoint.npz),--resume)
SMALL := runs/small-resnet/model
WIDE := runs/wide-resnet/model
LARGE := runs/large-resnet/model
MIRROR := runs/mirror-resnet/model
MIRROR2 := runs/mirror-resnet-again/model
REFINED := runs/refined/model
REFINED2 := runs/refined-again/model
MATCHED := runs/matched/model

$(SMALL).onnx: | $(VENV)/.installed-dev
	$(LEARN) --arch small-resnet

$(WIDE).onnx: $(SMALL).onnx
	$(LEARN) --arch wide-resnet --seed 1 --teacher $(SMALL).onnx

$(LARGE).onnx: $(WIDE).onnx
	$(LEARN) --arch large-resnet --seed 2 --start-from $(WIDE).keras --teacher $(SMALL).onnx --teacher $(WIDE).onnx

$(MIRROR).onnx: $(LARGE).onnx
	$(LEARN) --arch mirror-resnet --teacher $<

runs/distil/model.keras: | $(VENV)/.installed-dev
	$(BIN)/fer-stream distil --data $(DATA) --out $(@D) $(if $(wildcard $(@D)/distil.json),--resume)

$(REFINED).onnx: runs/distil/model.keras $(LARGE).onnx
	$(LEARN) --recipe refine --start-from $< --teacher $(LARGE).onnx

$(REFINED2).onnx: $(REFINED).onnx $(MIRROR).onnx
	$(LEARN) --recipe refine --epochs 12 --seed 6 --start-from $(REFINED).keras --teacher $(MIRROR).onnx

$(MIRROR2).onnx: $(REFINED).onnx $(MIRROR).onnx
	$(LEARN) --arch mirror-resnet --epochs 72 --lr 0.08 --seed 1 --start-from $(MIRROR).keras \
		$(addprefix --teacher ,$^)

$(MATCHED).onnx: $(REFINED).onnx $(MIRROR).onnx $(REFINED2).onnx $(MIRROR2).onnx
	$(LEARN) --recipe match --start-from $(REFINED).keras $(addprefix --teacher ,$^)

runs/default-cpu.onnx: $(MIRROR).onnx
runs/default.onnx: $(MATCHED).onnx
runs/default.onnx runs/default-cpu.onnx:
	$(BIN)/fer-stream quantise $< --data $(DATA) --out $@

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
	$(PIP) -e '.[dev]' -e 'training[tensorflow,jax]' -e plugins/mqtt
	@touch $(VENV)/.installed $@
