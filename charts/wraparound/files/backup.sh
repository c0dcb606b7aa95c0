#!/usr/bin/env bash
# Dumps every service's schema into a new folder, BACKUP_DIR/<UTC time>, and forgets the oldest beyond KEEP.
#
# Each service has a database address of its own, <SERVICE>_DATABASE_URL, since each has its own role; the databases may be one
# or several. The dumps begin together, so that they are of one moment, near enough: events that crossed it are told again or
# passed over by the verb `after-restore`.
#
# Without Kafka the event log is in PostgreSQL too, in a schema of its own: it is one more name in SERVICES, `event_log`, with its
# EVENT_LOG_DATABASE_URL. It is dumped when all others are done. Were it dumped before, a service's dump could know of events that
# the log does not hold, and the numbers of these would be given to others, which would then be taken for known.
set -euo pipefail
umask 077

: "${BACKUP_DIR:?is the folder of all backups}" "${KEEP:?is how many backups are kept}" "${SERVICES:?are the schemas}"
[[ $KEEP =~ ^[1-9][0-9]*$ ]] || { echo "KEEP is $KEEP; it must be 1 or more" >&2; exit 2; }

name=$(date -u +%Y%m%dT%H%M%SZ)
partial=$BACKUP_DIR/$name.partial
rm -rf "$BACKUP_DIR"/*.partial
mkdir -p "$partial"

dump() {
  local service=$1 url=${1^^}_DATABASE_URL tables
  pg_dump --dbname="${!url:?is the address of the database of $service}" --format=custom --schema="$service" \
    --no-owner --no-privileges --file="$partial/$service.dump"
  # An empty schema is a wrong address rather than a service without data.
  tables=$(pg_restore --list "$partial/$service.dump" | grep -c ' TABLE DATA ') || { echo "$service: no tables" >&2; return 1; }
  echo "$service: $tables tables, $(stat --format=%s "$partial/$service.dump") bytes"
}

running=()
for service in ${SERVICES//event_log/}; do
  dump "$service" &
  running+=($!)
done
for pid in "${running[@]}"; do wait "$pid"; done
[[ " $SERVICES " != *" event_log "* ]] || dump event_log

(cd "$partial" && sha256sum -- *.dump >SHA256SUMS)
sync "$partial"/*
# A folder without `.partial` is complete: it gets its name last.
mv "$partial" "$BACKUP_DIR/$name"
echo "complete: $name"

# Newest first by name, which is by time.
find "$BACKUP_DIR" -mindepth 1 -maxdepth 1 -type d -name '????????T??????Z' -printf '%f\n' | sort -r | tail -n "+$((KEEP + 1))" |
  while read -r old; do
    rm -rf "${BACKUP_DIR:?}/$old"
    echo "forgotten: $old"
  done
