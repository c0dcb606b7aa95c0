# Two commands matter: `make run` and `make test`. Each installs what is missing first.

# A district's address, ports and so on: make run ARGS="--ports-from 8400"
ARGS ?=
# Where rustup puts cargo, which a shell opened before that does not know yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

.DEFAULT_GOAL := help
.PHONY: help setup run build test lint fmt bench chart-test upgrade-drill sqlx-prepare clean-data

help: ## Show what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start a fictional district and say where its pages are (PROFILE=release, DATA_DIR=…, ARGS=…)
	@scripts/run.sh $(ARGS)

test: ## Check everything, as CI does
	@scripts/test.sh

setup: ## Install what building and testing take
	@scripts/setup.sh test

build: ## Build every program
	@SQLX_OFFLINE=true cargo build --workspace --bins

lint: ## Formatting, lints, query data, licences
	@scripts/lint.sh

fmt: ## Format the code
	@cargo fmt --all

chart-test: ## Check the charts with Helm, a Kubernetes API server, the binaries and PostgreSQL
	@scripts/chart-test.sh

bench: ## Measure against the floors of this machine
	@scripts/bench.sh $(ARGS)

upgrade-drill: ## The previous release and this one on one schema under load, and back (ARGS=revision)
	@scripts/upgrade-drill.sh $(ARGS)

sqlx-prepare: ## Write .sqlx/ anew after a change of migrations or queries
	@scripts/sqlx-prepare.sh

clean-data: ## Forget the fictional district of make run
	rm -rf "$${DATA_DIR:-data}"
