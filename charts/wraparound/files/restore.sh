#!/usr/bin/env bash
# Brings a backup of backup.sh back. BACKUP is the folder's name, or "latest". Nothing of the services may run meanwhile.
#
# Everything is looked at before anything is written. A schema that holds tables is refused unless OVERWRITE=yes; then it is emptied
# and filled in one transaction, so that a failure leaves what was there. Afterwards each service takes its verbs `migrate` and
# `after-restore`.
set -euo pipefail

: "${BACKUP_DIR:?is the folder of all backups}" "${SERVICES:?are the schemas}"
backup=${BACKUP:-latest}
overwrite=${OVERWRITE:-no}
case $overwrite in yes | no) ;; *) echo "OVERWRITE is $overwrite; it must be yes or no" >&2; exit 2 ;; esac

refuse() { echo "refused: $*" >&2; exit 1; }

ask() {
  local url=${1^^}_DATABASE_URL
  psql --dbname="${!url:?is the address of the database of $1}" --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "${@:2}"
}

tables_of() { ask "$1" --command="select count(*) from pg_tables where schemaname = '$1'"; }

# The schema itself stays: a role may own one without being allowed to make one. Tables take their triggers with them.
empty() {
  ask "$1" --command="
    select format('drop %s if exists %s cascade;', kind, name) from (
      select case relkind when 'S' then 2 else 1 end as turn,
        case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' else 'table' end as kind,
        oid::regclass::text as name
      from pg_class where relnamespace = '$1'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
      union all
      select 3, 'routine', oid::regprocedure::text from pg_proc where pronamespace = '$1'::regnamespace
    ) as held order by turn"
}

if [ "$backup" = latest ]; then
  backup=$(find "$BACKUP_DIR" -mindepth 1 -maxdepth 1 -type d -name '????????T??????Z' -printf '%f\n' | sort | tail -n 1)
  [ -n "$backup" ] || refuse "there is no complete backup in $BACKUP_DIR"
fi
folder=$BACKUP_DIR/$backup
[ -f "$folder/SHA256SUMS" ] || refuse "$folder is not a complete backup"
(cd "$folder" && sha256sum --check --strict --quiet SHA256SUMS) || refuse "$backup is damaged: its sums do not match"
for service in $SERVICES; do
  grep -q " $service.dump\$" "$folder/SHA256SUMS" || refuse "$backup holds no $service"
  tables=$(tables_of "$service")
  [ "$tables" -eq 0 ] || [ "$overwrite" = yes ] || refuse "$service holds $tables tables; OVERWRITE=yes replaces them"
done
echo "verified: $backup"

for service in $SERVICES; do
  # pg_restore would open a transaction of its own, so its SQL goes through ours, together with what empties the schema. The schema
  # may be there already, made by whoever made the role.
  {
    echo 'begin;'
    [ "$overwrite" = no ] || empty "$service"
    pg_restore --no-owner --no-privileges --exit-on-error --file=- "$folder/$service.dump" |
      if [ "$(ask "$service" --command="select count(*) from pg_namespace where nspname = '$service'")" -eq 1 ]; then
        sed "/^CREATE SCHEMA $service;\$/d"
      else
        cat
      fi
    echo 'commit;'
  } | ask "$service" >/dev/null
  echo "$service: $(tables_of "$service") tables restored"
done
echo "restored: $backup"
