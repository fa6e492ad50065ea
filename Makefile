# The front door. Everything here is a few lines over CMake's presets; `make help` lists it.

JOBS ?= $(shell nproc)
SECONDS ?= 60
PYTHON = /usr/bin/python3
PREFIX ?= /usr/local
DATA ?= data
DEMO = $(PYTHON) services/ctl/demo/demo.py

.DEFAULT_GOAL := help
.PHONY: help run call test unit lint format reference bench fuzz soak install install-packages clean

help: ## Shows this list.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '  make %-18s %s\n' "$$name" "$$what"; done

run: install-packages ## Starts everything with a demo workspace, until Ctrl-C; the data stays in DATA=data.
	@services/ctl/demo/build.sh $(JOBS)
	@CORDBOARD_DEMO_CALL="make call$(if $(filter-out data,$(DATA)), DATA=$(DATA))" exec $(DEMO) run --programs build/release --data $(DATA)

call: ## Makes a call through what `make run` has started, and shows what happens.
	@exec $(DEMO) call --data $(DATA)

test: install-packages ## Builds and tests everything; ends in "N passed, N failed".
	@$(PYTHON) tests/run_tests.py --jobs $(JOBS)

unit: build/dev/build.ninja ## Builds for development and runs the unit tests.
	@cmake --build --preset dev -j $(JOBS) && cd build/dev && ctest -L unit -j $(JOBS) --output-on-failure

lint: build/dev/build.ninja ## Checks format, layers, protos, documents, sizes, and runs clang-tidy.
	@cmake --build --preset dev -j $(JOBS) && cd build/dev && ctest -L 'lint|tidy|generated' --output-on-failure

format: ## Formats the C and proto files that are not formatted.
	@$(PYTHON) tests/lint/check_format.py --fix

reference: build/dev/build.ninja ## Writes docs/reference from the tables in the sources.
	@cmake --build --preset dev -j $(JOBS) && $(PYTHON) tests/lint/generate_reference.py

bench: install-packages ## Runs the benches, or one: make bench ONLY=mailbox
	@$(PYTHON) tests/run_benches.py --jobs $(JOBS) $(ONLY)

fuzz: install-packages ## Fuzzes for SECONDS=60 each, or one: make fuzz ONLY=expression
	@$(PYTHON) tests/run_fuzzers.py --jobs $(JOBS) --seconds $(SECONDS) $(ONLY)

soak: install-packages ## Repeats stories, faults and random lives with new seeds for SECONDS=60 or more.
	@$(PYTHON) tests/run_soak.py --jobs $(JOBS) --seconds $(SECONDS)

install: install-packages ## Builds a release and installs it under PREFIX=/usr/local (and DESTDIR).
	@cmake --preset release -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	@cmake --build --preset release -j $(JOBS) && cmake --install build/release

install-packages: ## Installs the Debian packages that are missing (tests/support/packages.txt).
	@tests/support/install_packages.sh

clean: ## Removes everything that was built.
	@rm -rf build

build/dev/build.ninja: | install-packages
	@cmake --preset dev
