# make run         starts everything: a visit on the local stack, with a stand-in for Jitsi
#                  [PROVIDER=jaas|self-hosted] [ALGORITHM=HS256|RS256, for self-hosted]
#                  [JAAS_APP_ID=vpaas-magic-cookie-... | JITSI_DOMAIN=meet.example.org: a real one]
#                  [VERBOSE=1, to see a token's claims]
# make redeploy    deploys a changed function, layer module or page within seconds
# make test        runs every check and all tests but the slow ones
# make test-slow   runs the slow tests: load, failures of AWS, other dates
# make rotate      replaces the signing key of the local RS256 stack
# make docs        builds the pages as a site
# make stop        stops the local stack; keeps keys, clients and visits

JAAS_APP_ID ?=
JITSI_DOMAIN ?=
PROVIDER ?= $(if $(JITSI_DOMAIN),self-hosted,jaas)
ALGORITHM ?= HS256
LISTEN ?=
PYTHON := .local/venv/bin/python
BIN := .local/venv/bin
CODE := layers/jitsi_tokens/jitsi_tokens layers/jitsi_tokens/trim_botocore.py $\
	functions/join_visit/page/build.py cli/jitsi_tokens_cli local_stack deployment openapi benchmarks $\
	clients/openemr/package.py docs/site/hooks.py tests
PYTHON_CLIENT := clients/python/jitsi_tokens_client clients/python/generate_jwt_token.py
CORE := */jitsi_tokens/core/*
FUNCTIONS := $(wildcard functions/*/app.py)
# The times of `make test-clock`, each in a zone: around midnight, where clocks change, a leap day,
# a new year.
MOMENTS := 2027-03-14T00:30Z,UTC 2027-03-14T04:30Z,America/New_York $\
	2027-03-14T12:00Z,Asia/Kolkata 2027-03-14T23:30Z,Pacific/Auckland $\
	2027-10-31T12:00Z,Europe/Berlin 2028-02-29T12:00Z,UTC 2031-01-01T12:00Z,Pacific/Kiritimati

# Without bytecode, every import compiles again.
unexport PYTHONDONTWRITEBYTECODE
export SAM_CLI_TELEMETRY = 0
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help run redeploy rotate stop test test-slow checks lint unit callers bench-check stack \
	page pictures recording test-clock test-faults vulnerabilities mutants load bench openapi \
	docs openemr-module requirements clean tools

help:
	@sed -n 's/^# //p' Makefile | head -n 10

tools:
	@local_stack/bootstrap venv sam emulator

run: tools
	@$(PYTHON) -m local_stack run --provider $(PROVIDER) --algorithm $(ALGORITHM) \
		--jitsi-domain "$(JITSI_DOMAIN)" --jaas-app-id "$(JAAS_APP_ID)" \
		--listen "$(LISTEN)" $(if $(VERBOSE),--verbose)

redeploy: tools
	@$(PYTHON) -m local_stack redeploy

rotate:
	@$(PYTHON) -m local_stack rotate --stack-name jitsi-tokens-self-hosted-rs256

stop:
	@test ! -x $(PYTHON) || $(PYTHON) -m local_stack stop

# Two jobs. The output of each is shown when it ends.
test: tools
	@local_stack/bootstrap checkov workflows schemathesis runtime npm
	@$(MAKE) --jobs=2 --output-sync=target checks stack

checks: tools
	@$(MAKE) lint
	@$(MAKE) unit
	@$(MAKE) callers
	@$(MAKE) page

# One after the other: they measure time, or use all processors. The tests that look at everything
# that a run did (its log, its calls to AWS) are in both runs of the stack.
test-slow: tools
	@$(MAKE) bench-check
	@$(MAKE) test-clock
	@$(MAKE) test-faults
	@$(MAKE) docs
	@local_stack/bootstrap schemathesis runtime npm
	$(BIN)/pytest tests -m "slow or whole" -rs

lint: tools
	@local_stack/bootstrap checkov workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CODE)
	$(BIN)/mypy --python-version 3.10 $(PYTHON_CLIENT)
	for app in $(FUNCTIONS); do $(BIN)/mypy $$app || exit 1; done
	$(BIN)/cfn-lint template.yaml deploy-role.yaml
	.local/sam/bin/sam validate --lint --region us-east-1
	.local/checkov/bin/checkov --quiet --compact --config-file .checkov.yaml
	.local/workflows/bin/zizmor --quiet --offline --persona auditor .github
	.local/workflows/bin/actionlint -shellcheck .local/workflows/bin/shellcheck
	.local/workflows/bin/shellcheck .ci/run local_stack/bootstrap

unit: tools
	@local_stack/bootstrap schemathesis
	$(BIN)/pytest tests/unit tests/integration tests/compatibility -m "not slow" \
		--numprocesses auto -rs --cov --cov-report=
	$(BIN)/coverage report --fail-under=100 --include="$(CORE)"
	$(BIN)/coverage report --fail-under=95 --omit="$(CORE)"

# Most of it is waiting, so more jobs than processors. -rs: prints what is skipped on a machine
# without PHP or Node, and why.
callers: tools
	@local_stack/bootstrap npm
	$(BIN)/pytest tests/clients -m "not slow" --numprocesses 4 -rs

# The waiting page in a real browser, on a stack of its own; and the site.
page: tools docs
	@local_stack/bootstrap npm
	$(BIN)/pytest tests/page -m "not slow" -rs

# Each screen in each language, on a phone and on a desktop, and a visit in a screen reader's words,
# in .local/screenshots; docs/pictures has those that the pages show.
pictures: tools
	@local_stack/bootstrap npm
	$(BIN)/pytest tests/page -k "screen or keyboard" -m "not slow" --pictures .local/screenshots
	cp .local/screenshots/waiting-en-360.png docs/pictures/waiting.png
	cp .local/screenshots/ready-en-360.png docs/pictures/ready.png

# What `make run` prints on a terminal, as docs/pictures/terminal.svg.
recording: tools
	$(PYTHON) -m local_stack.recording docs/pictures/terminal.svg

# Starts, memory and warm requests as ratios, against the bounds in benchmarks/ratios.py.
bench-check: tools
	@local_stack/bootstrap runtime peers
	$(PYTHON) -m benchmarks --check

stack: tools
	@local_stack/bootstrap schemathesis runtime
	$(BIN)/pytest tests/stack -m "not slow" -rs

# The tests of docs/reliability.md; prints its table.
test-faults: tools
	$(BIN)/pytest tests/faults

# All tests that can depend on the date, at each of MOMENTS. faketime adds an offset to the clock of
# the tests and of everything they start. The monotonic clock stays real, because Python waits by it
# in calls that libfaketime 0.9.10 does not fake; FAKETIME_FORCE_MONOTONIC_FIX=0 and
# tests/faked_clock belong to that. libfaketime reads its variables again every 10 seconds, and
# tests empty the environment: hence FAKETIME_CACHE_DURATION.
test-clock: export FAKETIME_FORCE_MONOTONIC_FIX = 0
test-clock: export FAKETIME_CACHE_DURATION = 86400
test-clock: export PYTHONPATH = $(CURDIR)/tests/faked_clock
test-clock: tools
	@local_stack/bootstrap schemathesis
	@if ! command -v faketime >/dev/null; then \
		echo "left out, as faketime is not installed: apt-get install faketime" >&2; \
		test -z "$(CI)"; exit; \
	fi; \
	status=0; log=.local/test-clock.log; \
	for moment in $(MOMENTS); do \
		at=$${moment%,*}; zone=$${moment#*,}; \
		TZ=$$zone faketime -m --exclude-monotonic \
			-f "$$(printf %+ds $$(($$(date -d "$$at" +%s) - $$(date +%s))))" \
			$(BIN)/pytest tests/unit tests/integration tests/compatibility tests/clients \
			--numprocesses 4 -q -rs >$$log 2>&1 || { status=1; cat $$log; }; \
		echo "$$at in $$zone: $$(tail -n 1 $$log)"; \
	done; exit $$status

# Known vulnerabilities in pinned packages. PyPI's answer changes by the day, so this is a workflow
# and not part of lint. --strict: a package that PyPI does not know is an error.
vulnerabilities:
	@local_stack/bootstrap workflows
	.local/workflows/bin/pip-audit --strict --require-hashes --disable-pip \
		$(foreach file,$(wildcard requirements/*.txt) layers/jitsi_tokens/requirements.txt,\
		--requirement $(file))

# Makes some thousand small changes in core/, one at a time, and prints those that no unit test
# notices. The layer is linked as src, as mutmut takes the name of a module from its path.
mutants:
	@local_stack/bootstrap mutants
	@rm -rf .local/mutation && mkdir .local/mutation
	@ln -s ../../pyproject.toml ../../tests .local/mutation
	@ln -s ../../layers/jitsi_tokens .local/mutation/src
	cd .local/mutation && nice ../mutants/bin/mutmut run --max-children 2 && \
		../mutants/bin/mutmut results

# More and more callers on a stack of its own, then pages of visits that wait: prints the two measured
# tables of docs/scaling.md. `$(PYTHON) -m benchmarks.load pages` prints the second alone.
load: tools
	@local_stack/bootstrap load
	$(PYTHON) -m benchmarks.load

# Each handler under AWS's Runtime Interface Emulator, and what it is compared with: prints the
# figures of docs/performance.md.
bench: tools
	@local_stack/bootstrap runtime peers
	$(PYTHON) -m benchmarks

# Writes docs/openapi.yaml from the types of the service.
openapi: tools
	$(PYTHON) -m openapi

# Builds the pages that GitHub shows as a site; a warning fails. NO_MKDOCS_2_WARNING: Material says at
# each start that it is maintained until May 2027.
docs:
	@local_stack/bootstrap docs npm
	@NO_MKDOCS_2_WARNING=1 .local/docs/bin/mkdocs build
	@echo "The site is in .local/site. To read it:"
	@echo "    python3 -m http.server --bind 127.0.0.1 --directory .local/site 0"

# Builds the archive of the module in docs/openemr.md, with the SDK in it.
openemr-module:
	mkdir -p .local
	python3 clients/openemr/package.py .local/oe-module-jitsi-tokens.zip

# Pins the packages of each requirements.in again.
requirements: tools
	for file in layers/jitsi_tokens/requirements \
		requirements/uv requirements/sam requirements/emulator requirements/checkov requirements/dev \
		requirements/schemathesis requirements/workflows requirements/load requirements/runtime \
		requirements/peers requirements/mutants requirements/docs; \
	do \
		.local/uv/bin/uv pip compile --quiet --no-header --no-annotate --upgrade \
			--python-version 3.13 --generate-hashes $$file.in -o $$file.txt || exit 1; \
	done

clean: stop
	rm -rf .local .aws-sam .coverage* .hypothesis
	find . \( -name __pycache__ -o -name '.*_cache' \) -prune -exec rm -r {} +
