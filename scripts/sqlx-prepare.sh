#!/usr/bin/env bash
# The query macros are checked against a real database; what they learnt is kept in .sqlx/, so that nobody needs a
# database to build.
# Usage: scripts/sqlx-prepare.sh           writes .sqlx/ anew, from the migrations as they are
#        scripts/sqlx-prepare.sh --check   says whether .sqlx/ is what the migrations and queries give, and lints
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
mode=${1:-write}
case "$mode" in write | --check) ;; *) sed -n '2,5p' "$0" >&2; exit 2 ;; esac

mkdir -p "$target"
export TEST_POSTGRES_STATE=$target/sqlx-postgres
fresh=$(mktemp -d "$target/sqlx-data.XXXXXX")
trap 'scripts/test-postgres.sh stop; rm -rf "$fresh"' EXIT
DATABASE_URL=$(scripts/test-postgres.sh start)
export DATABASE_URL SQLX_OFFLINE=false SQLX_OFFLINE_DIR=$fresh
scripts/dev-db.sh

# The macros only run where something is compiled. A flag that is new each time has cargo do so for our own crates,
# without touching their files, which would have the tests built anew as well.
flags=(--cfg "queries_checked=\"$(date +%s%N)\"")
if [ "$mode" = --check ]; then flags+=(-D warnings); else flags+=(--cap-lints warn); fi
if cargo clippy --version >/dev/null 2>&1; then
  cargo clippy --locked --workspace --all-targets -- "${flags[@]}"
else
  echo "sqlx-prepare.sh: no clippy in this toolchain, so nothing is linted; the queries are checked all the same" >&2
  grep -rlE 'query(_as|_scalar)?!' --include='*.rs' services integration-tests | xargs -r touch
  cargo check --locked --workspace --all-targets
fi

if [ "$mode" = --check ]; then
  if ! diff -rq .sqlx "$fresh" >"$target/sqlx-diff"; then
    sed -e "s#$fresh#(fresh)#" "$target/sqlx-diff" >&2
    echo "sqlx-prepare.sh: .sqlx/ is not what the queries and migrations give: run 'make sqlx-prepare' and commit .sqlx/" >&2
    exit 1
  fi
else
  rm -rf .sqlx
  mkdir .sqlx
  cp "$fresh"/*.json .sqlx/ 2>/dev/null || true
  echo ".sqlx/ holds $(find .sqlx -name '*.json' | wc -l) queries"
fi
