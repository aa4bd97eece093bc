# 汇流 Huiliu. Needs only Python 3.11 or later (with venv) and make.
#
#   make demo    the whole portal with a demonstration city   http://127.0.0.1:8000
#   make test    every test, on a throw-away database         make test ONLY=tests/sharing
#   make test-sources  pulling from a real MariaDB and a second PostgreSQL (Debian's packages)
#   make check   lint, types, contracts, settings, migrations
#   make messages  what the screens say, gathered for the English of locale/en (needs gettext)
#   make faults  fifty loads, and a kill of worker, web or PostgreSQL in each (about an hour)
#   make bench   the claims of speed, each against PostgreSQL doing the bare minimum (ONLY=warehouse)
#
# PORT and HUILIU_HOME are honoured.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.installed-runtime
DEVELOPMENT := $(VENV)/.installed-development
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; \
	then echo $$p; break; fi; done)
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-input -q --only-binary=:all: \
	--require-hashes

.DEFAULT_GOAL := help
.PHONY: help venv demo test test-sources check messages faults bench clean

help:
	@sed -n 's/^#   //p' Makefile

# Making the environment and installing into it are told apart, so that an interrupted install is
# taken up again and a changed lock is noticed.
$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "需要 Python 3.11–3.14，未找到。安装后重试，或用 make demo PYTHON=/路径/python3.12 指定。" >&2; exit 1; fi
	@if ! $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null; then \
		echo "$(PYTHON) 缺少 venv 模块。Debian/Ubuntu 上执行：apt-get install python3-venv" >&2; exit 1; fi
	@echo "建立 $(VENV)（$$($(PYTHON) --version)）…"
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.txt | $(BIN)/python
	@echo "安装依赖（按散列值核对）…"
	@$(INSTALL) -r requirements.txt
	@touch $@

$(DEVELOPMENT): requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "安装依赖与检查工具（按散列值核对）…"
	@$(INSTALL) -r requirements-dev.txt
	@touch $@ $(RUNTIME)

venv: $(DEVELOPMENT)

demo: $(RUNTIME)
	@exec $(BIN)/python manage.py demo

test: $(DEVELOPMENT)
	@$(BIN)/python -m pytest -q -n 2 --dist loadscope $(if $(ONLY),$(ONLY),tests)

test-sources: $(DEVELOPMENT)
	@HUILIU_TEST_SOURCES=1 $(BIN)/python -m pytest -q -rs tests/sources

check: $(DEVELOPMENT)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	@if find templates -name '*.html' | grep -q .; then $(BIN)/djlint --lint --quiet templates; fi
	$(BIN)/python manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=config.settings.production HUILIU_ALLOWED_HOSTS=huiliu.example \
		HUILIU_SECRET_KEY=only-for-this-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

messages: $(DEVELOPMENT)
	@$(BIN)/python manage.py makemessages -l en --no-location --no-obsolete -i tests -i var -i docs
	@$(BIN)/python manage.py compilemessages -l en -l zh_Hans -i .venv -i var

faults: $(DEVELOPMENT)
	@$(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED))

bench: $(DEVELOPMENT)
	@$(BIN)/python -m tests.benchmarks $(ONLY)

clean:
	rm -rf var/test .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
