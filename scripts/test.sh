#!/usr/bin/env bash
# Everything that is checked, from formatting to the browser, as CI runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
stage() { printf '\n==> %s\n' "$*"; }
began=$SECONDS

stage "Set-up"
scripts/setup.sh test

scripts/lint.sh

# A DATABASE_URL of the caller's must not have the macros ask it.
export SQLX_OFFLINE=true

stage "Build"
cargo build --locked --workspace --bins

stage "Tests: unit, database, contract, integration, browser"
trap 'scripts/test-postgres.sh stop' EXIT
WRAPAROUND_TEST_DATABASE_URL=$(scripts/test-postgres.sh start)
export WRAPAROUND_TEST_DATABASE_URL
cargo test --locked --workspace --no-fail-fast

stage "Charts: Helm, a Kubernetes API server, the binaries"
WRAPAROUND_BINARIES=${CARGO_TARGET_DIR:-$PWD/target}/debug scripts/chart-test.sh

stage "All is well, after $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s"
