# Every task of the project: `make help` lists them. Works from anywhere with `make -C DIRECTORY`.

ROOT := $(patsubst %/,%,$(dir $(realpath $(lastword $(MAKEFILE_LIST)))))
BUILD := $(ROOT)/build
PYTHON ?= /usr/bin/python3
JOBS ?= $(shell nproc)
TEST_JOBS ?= 2
FUZZ_SECONDS ?= 60
COVERAGE ?= 90
SEEDS ?= 1000
MODELS ?= 200
SEED ?= 1
PREFIX ?= /usr/local

.DEFAULT_GOAL := help
.PHONY: help deps configure build test lint format bench demo docs figures python calibration identities random fuzz asan tsan coverage valgrind install clean

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(ROOT)/Makefile
	@echo
	@echo 'Variables: JOBS=$(JOBS) TEST_JOBS=$(TEST_JOBS) FUZZ_SECONDS=$(FUZZ_SECONDS) SEEDS=$(SEEDS) MODELS=$(MODELS) SEED=$(SEED) PREFIX=$(PREFIX) DESTDIR='

deps: ## install the missing Debian packages of packages.txt
	@bash $(ROOT)/tools/install_packages.sh

configure: deps
	@mkdir -p $(BUILD)
	@cd $(ROOT) && cmake --preset release >$(BUILD)/configure.log 2>&1 \
	  || { cat $(BUILD)/configure.log; exit 1; }

build: configure ## build everything in build/; the command is build/divker
	@cmake --build $(BUILD) --parallel $(JOBS)

test: build ## build, lint, and run every test
	@lint=passed; tests=passed; \
	$(MAKE) --no-print-directory -f $(ROOT)/Makefile lint || lint=FAILED; \
	ctest --test-dir $(BUILD) --parallel $(TEST_JOBS) --output-on-failure --no-tests=error || tests=FAILED; \
	echo; echo "summary: build passed, lint $$lint, tests $$tests"; \
	[ $$lint = passed ] && [ $$tests = passed ]

lint: configure ## clang-format, clang-tidy and the syntax of the scripts
	@$(PYTHON) $(ROOT)/tools/lint.py --build $(BUILD) --jobs $(JOBS)

format: ## lay out all C++ files by clang-format
	@$(PYTHON) $(ROOT)/tools/lint.py --build $(BUILD) --fix-format

bench: build ## the benchmark table
	@$(PYTHON) $(ROOT)/bench/compare.py $(BUILD)/divker

demo: configure ## a tour of the command, which is all that it builds; results in demo-output/
	@cmake --build $(BUILD) --parallel $(JOBS) --target divker_command
	@bash $(ROOT)/demo/run.sh $(BUILD)/divker $(ROOT)/demo-output

docs: ## the pages as a site in build/docs; installs what docs/packages.txt names
	@bash $(ROOT)/tools/install_packages.sh $(ROOT)/docs/packages.txt
	@$(PYTHON) $(ROOT)/tools/docs.py $(BUILD)/docs

figures: build ## every experiment of docs/experiments.md in full: tables and pictures in reproduced/
	@failed=; for script in $$(grep -l '^#!' $(ROOT)/experiments/*.py); do \
	  name=$$(basename $$script .py); \
	  $(BUILD)/divker reproduce $$name --out $(ROOT)/reproduced/$$name || failed="$$failed $$name"; \
	done; [ -z "$$failed" ] || { echo "not as expected:$$failed"; exit 1; }

python: configure ## build the Python package as a wheel in build/wheel and install it for PYTHON
	@cd $(BUILD) && DIVKER_BUILD=$(BUILD) $(PYTHON) -m pip wheel --quiet --no-build-isolation --no-deps \
	  -w $(BUILD)/wheel $(ROOT)/python
	@cd $(BUILD) && $(PYTHON) -m pip install --quiet --no-deps --no-index --force-reinstall \
	  --break-system-packages --root-user-action=ignore $(BUILD)/wheel/divker-*.whl
	@cd / && $(PYTHON) -c 'import divker; print("divker", divker.__version__, "in", divker.__path__[0])'

calibration: build ## coverage of 95% intervals over SEEDS seeds, the tables of docs/calibration.md and docs/robust.md
	@cmake --build $(BUILD) --target calibration
	@$(BUILD)/calibration $(SEEDS)

identities: build ## the two identities of every shipped model at a million paths (an hour)
	@cmake --build $(BUILD) --target identities
	@$(BUILD)/identities 1000000

random: build ## every method on MODELS random models from SEED on: contradictions without a warning
	@cmake --build $(BUILD) --target random_models
	@$(BUILD)/random_models $(MODELS) $(SEED)

fuzz: deps ## run the fuzz targets, FUZZ_SECONDS seconds in all
	@cd $(ROOT) && cmake --preset fuzz >/dev/null && cmake --build $(ROOT)/build-fuzz --parallel $(JOBS)
	@bash $(ROOT)/tests/fuzz/run.sh $(ROOT)/build-fuzz $(FUZZ_SECONDS)

# $(call checked,PRESET[,TESTS[,OTHERS]]): the tests in the build of that preset: all, or those named;
# without the others.
checked = cd $(ROOT) && cmake --preset $(1) >/dev/null && \
  cmake --build $(ROOT)/build-$(1) --parallel $(JOBS) $(if $(2),--target $(2:%=%_test)) && \
  ctest --test-dir $(ROOT)/build-$(1) --parallel $(TEST_JOBS) --output-on-failure --no-tests=error \
    --label-exclude long $(if $(2),--tests-regex '$(call one_of,$(2))') \
    $(if $(3),--exclude-regex '$(call one_of,$(3))')
one_of = ^($(subst $() ,|,$(strip $(1))))$$

asan: deps ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer, in build-asan/
	@$(call checked,asan)

# Where threads meet: paths, kernels that are compiled once for all, regressions, files.
tsan: deps ## the tests of what runs on threads under ThreadSanitizer, in build-tsan/
	@$(call checked,tsan,ensemble kernel regressor local_sums neighbours stationary hdf5 fit)

# Threads race for the counters, which is why some are negative: gcovr is told to pass over these.
# (Atomic ones would make the tests several times slower.)
coverage: deps ## line coverage of src/ by the tests; fails below COVERAGE percent
	@echo gcovr | bash $(ROOT)/tools/install_packages.sh /dev/stdin
	@find $(ROOT)/build-coverage -name '*.gcda' -delete 2>/dev/null || true
	@$(call checked,coverage,,floors docs install)
	@gcovr --root $(ROOT) --filter $(ROOT)/src/ --object-directory $(ROOT)/build-coverage \
	  --gcov-ignore-parse-errors --json-summary $(ROOT)/build-coverage/summary.json \
	  --txt $(ROOT)/build-coverage/coverage.txt --print-summary --fail-under-line $(COVERAGE) \
	  2>$(ROOT)/build-coverage/gcovr.log || { tail -n 3 $(ROOT)/build-coverage/gcovr.log; exit 1; }
	@$(PYTHON) $(ROOT)/tools/coverage_by_folder.py $(ROOT)/build-coverage/summary.json

valgrind: configure ## the main paths of the command under Valgrind's memory checker
	@echo valgrind | bash $(ROOT)/tools/install_packages.sh /dev/stdin
	@cmake --build $(BUILD) --parallel $(JOBS) --target divker_command
	@bash $(ROOT)/tests/valgrind/run.sh $(BUILD)/divker

install: build ## install under PREFIX, staged in DESTDIR if that is set
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig || true; fi

clean: ## remove everything that was built
	rm -rf $(BUILD) $(ROOT)/build-debug $(ROOT)/build-asan $(ROOT)/build-tsan $(ROOT)/build-coverage \
	  $(ROOT)/build-fuzz $(ROOT)/demo-output $(ROOT)/python/build $(ROOT)/python/divker.egg-info
