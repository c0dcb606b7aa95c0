#!/usr/bin/env bash
# Formatting, lints, the freshness of the query data, and what may come in from outside.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
stage() { printf '\n==> %s\n' "$*"; }

stage "Formatting"
cargo fmt --all --check || { echo "lint.sh: run 'make fmt'" >&2; exit 1; }

stage "Lints, and queries against a real database"
# The slow half is asking the database; while neither queries nor migrations change, its answer does not.
asked=$( (find migrations .sqlx services integration-tests -type f \( -name '*.sql' -o -name '*.rs' -o -name '*.json' -o -name '*.toml' \) \
  -print0 | sort -z | xargs -0 sha256sum; cat Cargo.lock) 2>/dev/null | sha256sum)
if [ "$(cat "$target/queries-checked" 2>/dev/null)" = "$asked" ]; then
  SQLX_OFFLINE=true cargo clippy --locked --workspace --all-targets -- -D warnings
else
  scripts/sqlx-prepare.sh --check
  echo "$asked" >"$target/queries-checked"
fi

stage "Licences, banned crates and sources"
if cargo deny --version >/dev/null 2>&1; then
  cargo deny --locked check bans licenses sources
else
  echo "cargo-deny is not installed, so deny.toml is not checked here (cargo install cargo-deny)"
fi
