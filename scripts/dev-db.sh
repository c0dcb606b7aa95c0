#!/usr/bin/env bash
# Gives the query macros a database to check against: drops and re-creates schemas in $DATABASE_URL.
# Usage: scripts/dev-db.sh [service ...]   (all services where none is named)
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DATABASE_URL:?set DATABASE_URL to a database that may be emptied}"
services=("$@")
[ ${#services[@]} -gt 0 ] || services=(rosters reviews plans partners reporting)
for service in "${services[@]}"; do
  psql -qX -v ON_ERROR_STOP=1 "$DATABASE_URL" -c "set client_min_messages = warning" \
    -c "drop schema if exists $service cascade" -c "create schema $service"
  for file in migrations/chassis/*.sql migrations/"$service"/*.sql; do
    [ -e "$file" ] || continue
    PGOPTIONS="-c search_path=$service" psql -qX -v ON_ERROR_STOP=1 "$DATABASE_URL" -f "$file"
  done
done
