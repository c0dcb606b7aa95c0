#!/usr/bin/env bash
# Keycloak for tests and trials of sign-in: one node, on loopback, its data in a folder. Its administrator is admin with the
# password admin-of-tests, so it is for nothing else.
# Usage: scripts/keycloak.sh fetch           get it from Maven Central into target/keycloak and make it ready to start fast
#        scripts/keycloak.sh run DIR PORT    run it until it is stopped; it ends with its parent, too
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
folder=$target/keycloak

fail() { echo "keycloak.sh: $*" >&2; exit 1; }
wanted() { cat scripts/keycloak.sh scripts/keycloak/pom.xml | sha256sum; }
has_java() { command -v java >/dev/null || fail "Java 17 or newer is missing: install the Debian package default-jre-headless"; }

# The small heap and the quick compiler: a test signs a few people in, and should not wait for a server to warm up.
java_options="-Xms96m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true -Dfile.encoding=UTF-8"

database() { echo "jdbc:h2:file:$1/keycloak;NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE"; }

fetch() {
  [ "$(cat "$folder/.complete" 2>/dev/null)" = "$(wanted)" ] && return
  command -v mvn >/dev/null || fail "Maven is missing, which fetches Keycloak: install the Debian package maven"
  has_java
  mkdir -p "$folder"
  # Several test processes may ask at once.
  (flock 9 && download) 9>"$folder/lock"
}

download() {
  [ "$(cat "$folder/.complete" 2>/dev/null)" = "$(wanted)" ] && return
  echo "fetching Keycloak into $folder" >&2
  rm -rf "$folder/dist" "$folder/unpacked" "$folder/fresh"
  mvn -B -q -f scripts/keycloak/pom.xml dependency:unpack -Dunpack.into="$folder/unpacked" >&2 ||
    fail "Keycloak could not be fetched from Maven Central: is it reachable from here (a mirror or proxy goes into ~/.m2/settings.xml)?"
  mv "$folder"/unpacked/keycloak-* "$folder/dist"
  rm -rf "$folder/unpacked"
  local log=$folder/prepare.log
  # What takes a first start its time: the server put together for its database, the tables, the first realm.
  JAVA_OPTS="$java_options" bash "$folder/dist/bin/kc.sh" build --db=dev-file >"$log" 2>&1 || fail "Keycloak could not be built: $(tail -20 "$log")"
  mkdir -p "$folder/fresh"
  JAVA_OPTS="$java_options" ADMIN_PASSWORD=admin-of-tests bash "$folder/dist/bin/kc.sh" bootstrap-admin user --optimized \
    --db-url="$(database "$folder/fresh")" --username admin --password:env ADMIN_PASSWORD --no-prompt >>"$log" 2>&1 ||
    fail "Keycloak's database could not be made: $(tail -20 "$log")"
  wanted >"$folder/.complete"
}

run() {
  local dir=$1 port=$2 part
  has_java
  fetch
  mkdir -p "$dir/data"
  # A home of its own, so that two that run at once share nothing but programs.
  for part in bin conf lib providers themes version.txt; do ln -sfn "$folder/dist/$part" "$dir/$part"; done
  [ -e "$dir/keycloak.mv.db" ] || cp "$folder/fresh/keycloak.mv.db" "$dir/"
  # kc.sh would start Java as a child, which would outlive it.
  # shellcheck disable=SC2086 # The options are words.
  exec setpriv --pdeathsig KILL java $java_options -Dkc.home.dir="$dir" -Djboss.server.config.dir="$dir/conf" \
    -Djava.util.logging.manager=org.jboss.logmanager.LogManager -Dquarkus-log-max-startup-records=10000 -Dpicocli.disable.closures=true \
    -Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory \
    --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED \
    --add-opens=java.base/java.security=ALL-UNNAMED \
    -cp "$dir/lib/quarkus-run.jar" io.quarkus.bootstrap.runner.QuarkusEntryPoint start --optimized --db-url="$(database "$dir")" --cache=local \
    --http-enabled=true --http-host=127.0.0.1 --http-port="$port" --hostname="http://127.0.0.1:$port"
}

case "${1:-}" in
  fetch) fetch ;;
  run) [ $# -eq 3 ] || fail "usage: scripts/keycloak.sh run DIR PORT"; run "$2" "$3" ;;
  *) sed -n '2,6p' "$0" >&2; exit 2 ;;
esac
