#!/usr/bin/env bash
# A throw-away PostgreSQL for tests and for checking queries: nothing waits for the disk, 200 connections, any password.
# Usage: scripts/test-postgres.sh start   prints its address; WRAPAROUND_TEST_DATABASE_URL and DATABASE_URL take it
#        scripts/test-postgres.sh stop    stops it and removes its data
# One folder of state (default target/test-postgres, else $TEST_POSTGRES_STATE) remembers one server.
set -euo pipefail
cd "$(dirname "$0")/.."
state=${TEST_POSTGRES_STATE:-${CARGO_TARGET_DIR:-$PWD/target}/test-postgres}

fail() { echo "test-postgres.sh: $*" >&2; exit 1; }

# PostgreSQL refuses root, so root runs it as another user, from a folder that any user may enter.
as_server() {
  if [ "$(id -u)" -ne 0 ]; then (cd / && "$@"); return; fi
  local user=postgres
  id -u postgres >/dev/null 2>&1 || user=nobody
  (cd / && setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@")
}

find_binaries() {
  local dir
  dir=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -t/ -k5,5nr | head -1)
  if [ -z "$dir" ] && command -v initdb >/dev/null; then dir=$(dirname "$(readlink -f "$(command -v initdb)")"); fi
  [ -x "$dir/initdb" ] || fail "PostgreSQL is missing: install the Debian package postgresql, or run make setup"
  echo "$dir"
}

stop() {
  [ -f "$state/folder" ] || return 0
  local folder bin
  folder=$(cat "$state/folder")
  bin=$(cat "$state/bin")
  as_server "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
  # Only ever what start has made.
  case "$folder" in /tmp/wraparound-test-postgres.*) rm -rf "$folder" ;; esac
  rm -rf "$state"
}

start() {
  stop
  local bin folder try port
  bin=$(find_binaries)
  folder=$(as_server mktemp -d /tmp/wraparound-test-postgres.XXXXXX)
  mkdir -p "$state"
  echo "$folder" >"$state/folder"
  echo "$bin" >"$state/bin"
  as_server env LC_ALL=C.UTF-8 "$bin/initdb" -D "$folder/data" --username=postgres --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 --no-sync --no-instructions >/dev/null
  # Free when looked at is not free when taken: a few tries.
  for try in 1 2 3 4 5; do
    port=$((20000 + (RANDOM + try) % 10000))
    if as_server env LC_ALL=C.UTF-8 TZ=UTC "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -o "-p $port \
      -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c full_page_writes=off \
      -c synchronous_commit=off -c max_connections=200 -c jit=off -c timezone=UTC -c max_wal_size=512MB" \
      start >/dev/null 2>&1; then
      echo "postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable" | tee "$state/url"
      return
    fi
    as_server grep -q "could not bind" "$folder/log" || break
  done
  as_server tail -n 20 "$folder/log" >&2
  stop
  fail "the throw-away PostgreSQL did not start; its last words are above"
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  *) sed -n '2,5p' "$0" >&2; exit 2 ;;
esac
