#!/usr/bin/env bash
# Measures ours against the floor of the same machine in the same run. Release profile: figures of another mean little.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh run
SQLX_OFFLINE=true cargo build --locked --release --workspace --bins
SQLX_OFFLINE=true cargo bench --locked --package integration-tests "$@"
