# Every target makes what it needs and skips what is done; `make help` lists them.
VENV ?= .venv
VENV_CLASSIC ?= .venv-classic
# Empty: a suitable interpreter is looked for (requirements/find_python.sh).
PYTHON ?=
PYTHON_CLASSIC ?=
# INSTALLER=pip uses pip alone; uv is some ten times faster.
INSTALLER ?= uv
# A world of your own for the demo; empty: digits on photos, made on the first run.
DATA ?=
PYTEST_ARGS ?=
BENCH ?= work_dirs/bench

PY = $(VENV)/bin/python
PY_CLASSIC = $(VENV_CLASSIC)/bin/python
STAMPS = $(VENV)/.stamps
STAMPS_CLASSIC = $(VENV_CLASSIC)/.stamps
DETECTION_TESTS = -m 'slow or not slow' tests/detection tests/tools/test_detection_trials.py
# When the command began: the demo reports the time to its first training step.
STARTED := $(shell date +%s)
PACKAGE = setup.py pyproject.toml requirements/runtime.txt bgaug_mm/version.py

# $(call venv,FOLDER,OLDEST,NEWEST,INTERPRETER): uv goes into the environment
# itself, so that a machine with Python and pip is enough; without it pip serves.
define venv
	@python=$$(sh requirements/find_python.sh $(2) $(3) $(4)) && \
	  echo "Environment $(1) from $$python" && "$$python" -m venv $(1)
	@test '$(INSTALLER)' = pip || \
	  $(1)/bin/python -m pip install --quiet --disable-pip-version-check uv || \
	  echo 'uv could not be installed: continuing with pip'
	@mkdir -p $(1)/.stamps && touch $@
endef

# $(call install,INTERPRETER,ARGUMENTS): pip serves where uv cannot, for example
# behind a mirror that only pip is configured for.
define install
	@{ test '$(INSTALLER)' != pip && $(1) -c 'import uv' 2>/dev/null && \
	  $(1) -m uv pip install --python $(1) $(2); } || \
	$(1) -m pip install --disable-pip-version-check $(2)
	@touch $@
endef

# $(call saliency,INTERPRETER): --no-deps, see requirements/saliency.txt. opencv-contrib
# holds opencv and more; in the same version it may overwrite it.
define saliency
	$(call install,$(1),--no-deps -r requirements/saliency.txt \
	  opencv-contrib-python==$$($(1) -c \
	  'from importlib.metadata import version; print(version("opencv-python"))'))
endef

# $(call detection,INTERPRETER,REQUIREMENTS,STACK): mmcv in the stack's version, with operations.
define detection
	@{ test '$(INSTALLER)' != pip && $(1) -c 'import uv' 2>/dev/null && \
	  $(1) -m uv pip install --python $(1) --no-deps -r $(2); } || \
	$(1) -m pip install --disable-pip-version-check --no-deps -r $(2)
	@PATH="$(dir $(abspath $(1))):$$PATH" sh requirements/mmcv_with_ops.sh $(1) \
	  $$(sed -n 's/-lite==/==/; /^[a-z-]*mmcv==/p' $(3))
	@touch $@
endef

# $(call checkout): rewritten when another checkout takes the environment over,
# because an editable install points to one folder.
define checkout
	@echo '$(CURDIR)' | cmp -s - $@ || echo '$(CURDIR)' > $@
endef

.PHONY: help env env-classic test test-slow test-classic test-detection test-detection-classic saliency evaluation detection detection-classic demo demo-cutouts bench lint wheel clean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-22s %s\n", $$1, $$2}' Makefile

env: $(STAMPS)/stack ## the current stack in VENV (.venv)
	@$(PY) tools/check_environment.py

env-classic: $(STAMPS_CLASSIC)/stack ## the classic stack in VENV_CLASSIC (.venv-classic)
	@$(PY_CLASSIC) tools/check_environment.py

test: $(STAMPS)/tests ## all quick tests; options by PYTEST_ARGS="-k name"
	$(PY) -m pytest $(PYTEST_ARGS)

test-slow: $(STAMPS)/tests ## the tests marked slow
	$(PY) -m pytest -m slow $(PYTEST_ARGS)

test-classic: $(STAMPS_CLASSIC)/tests ## all quick tests on the classic stack
	$(PY_CLASSIC) -m pytest $(PYTEST_ARGS)

test-detection: $(STAMPS)/tests $(STAMPS)/detection ## the tests that need mmdet, which the others leave out
	$(PY) -m pytest $(DETECTION_TESTS) $(PYTEST_ARGS)

test-detection-classic: $(STAMPS_CLASSIC)/tests $(STAMPS_CLASSIC)/detection ## the same on the classic stack
	$(PY_CLASSIC) -m pytest $(DETECTION_TESTS) $(PYTEST_ARGS)

saliency: $(STAMPS)/saliency ## what the saliency estimators need besides the stack

evaluation: $(STAMPS)/evaluation ## what attacks of tools/evaluation need besides the stack

detection: $(STAMPS)/detection ## mmdet, and mmcv with operations (compiled once, for a quarter of an hour)

detection-classic: $(STAMPS_CLASSIC)/detection ## the same for the classic stack

demo: $(STAMPS)/stack ## plain against background-swapped pre-training on embedded data
	$(PY) tools/demo.py --started $(STARTED) $(if $(DATA),--data $(DATA))

demo-cutouts: $(STAMPS)/stack ## BYOL with swapped backgrounds on the photographs in CUTOUTS=folder
	$(PY) tools/dataset_converters/make_cutouts_on_textures.py '$(CUTOUTS)' data/cutouts_on_textures
	$(PY) tools/train.py configs/demo/byol_bgswap_cutouts.py --resume

bench: $(STAMPS)/benchmarks $(STAMPS)/saliency ## speed of views, batches, selection and masks, as JSON in BENCH (folder)
	$(PY) tools/benchmarks/bench_views.py --json $(BENCH)/views.json
	$(PY) tools/benchmarks/bench_batch_background.py --json $(BENCH)/batch_background.json
	$(PY) tools/benchmarks/bench_hard_views.py --json $(BENCH)/hard_views.json
	$(PY) tools/benchmarks/bench_masks.py --json $(BENCH)/masks.json

lint: $(STAMPS)/lint ## ruff and mypy
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

wheel: $(STAMPS)/venv ## dist/bgaug_mm-*.whl
	rm -rf build
	$(PY) -m pip wheel --disable-pip-version-check --no-deps --wheel-dir dist .

clean: ## build output and caches; environments, data and work_dirs stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find bgaug_mm configs tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

FORCE:

$(STAMPS)/venv:
	$(call venv,$(VENV),10,13,$(PYTHON))
$(STAMPS_CLASSIC)/venv:
	$(call venv,$(VENV_CLASSIC),10,11,$(PYTHON_CLASSIC))
$(STAMPS)/checkout: $(STAMPS)/venv FORCE
	$(checkout)
$(STAMPS_CLASSIC)/checkout: $(STAMPS_CLASSIC)/venv FORCE
	$(checkout)
$(STAMPS)/stack: $(STAMPS)/checkout requirements/mminstall.txt $(PACKAGE)
	$(call install,$(PY),-r requirements/mminstall.txt -e .)
$(STAMPS_CLASSIC)/stack: $(STAMPS_CLASSIC)/checkout requirements/classic.txt $(PACKAGE)
	$(call install,$(PY_CLASSIC),-r requirements/classic.txt -e .)
$(STAMPS)/saliency: $(STAMPS)/stack requirements/saliency.txt
	$(call saliency,$(PY))
$(STAMPS_CLASSIC)/saliency: $(STAMPS_CLASSIC)/stack requirements/saliency.txt
	$(call saliency,$(PY_CLASSIC))
# --no-deps: see the file.
$(STAMPS)/evaluation: $(STAMPS)/stack requirements/evaluation.txt
	$(call install,$(PY),--no-deps -r requirements/evaluation.txt)
$(STAMPS_CLASSIC)/evaluation: $(STAMPS_CLASSIC)/stack requirements/evaluation.txt
	$(call install,$(PY_CLASSIC),--no-deps -r requirements/evaluation.txt)
$(STAMPS)/detection: $(STAMPS)/stack requirements/detection.txt requirements/mmcv_with_ops.sh
	$(call detection,$(PY),requirements/detection.txt,requirements/mminstall.txt)
$(STAMPS_CLASSIC)/detection: $(STAMPS_CLASSIC)/stack requirements/detection_classic.txt requirements/mmcv_with_ops.sh
	$(call detection,$(PY_CLASSIC),requirements/detection_classic.txt,requirements/classic.txt)
$(STAMPS)/tests: $(STAMPS)/saliency $(STAMPS)/evaluation requirements/tests.txt
	$(call install,$(PY),-r requirements/tests.txt)
$(STAMPS_CLASSIC)/tests: $(STAMPS_CLASSIC)/saliency $(STAMPS_CLASSIC)/evaluation requirements/tests.txt
	$(call install,$(PY_CLASSIC),-r requirements/tests.txt)
# --no-deps: see the file.
$(STAMPS)/benchmarks: $(STAMPS)/stack requirements/benchmarks.txt
	$(call install,$(PY),--no-deps -r requirements/benchmarks.txt)
$(STAMPS)/lint: $(STAMPS)/stack requirements/lint.txt
	$(call install,$(PY),-r requirements/lint.txt)
