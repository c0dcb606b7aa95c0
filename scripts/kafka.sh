#!/usr/bin/env bash
# Apache Kafka for tests and trials: one node, on loopback, its data in a folder.
# Usage: scripts/kafka.sh fetch                        get the broker from Maven Central into target/kafka/libs
#        scripts/kafka.sh run DIR PORT CONTROLLER_PORT [TLS]  run it until it is stopped; it ends with its parent, too.
#            With TLS, a folder with ca.crt and broker.pem: over mutual TLS alone, every client known by its certificate
# KAFKA_PROPERTIES holds more lines of the broker's configuration.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
libs=$target/kafka/libs

fail() { echo "kafka.sh: $*" >&2; exit 1; }

fetch() {
  local wanted
  wanted=$(sha256sum scripts/kafka/pom.xml)
  [ "$(cat "$libs/.complete" 2>/dev/null)" = "$wanted" ] && return
  command -v mvn >/dev/null || fail "Maven is missing, which fetches Apache Kafka: install the Debian package maven"
  mkdir -p "$target/kafka"
  # Several test processes may ask at once.
  (flock 9 && download "$wanted") 9>"$target/kafka/lock"
}

download() {
  [ "$(cat "$libs/.complete" 2>/dev/null)" = "$1" ] && return
  echo "fetching Apache Kafka into $libs" >&2
  rm -rf "$libs"
  mvn -B -q -f scripts/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$libs" >&2 ||
    fail "Apache Kafka could not be fetched from Maven Central: is it reachable from here (a mirror or proxy goes into ~/.m2/settings.xml)?"
  echo "$1" >"$libs/.complete"
}

run() {
  local dir=$1 port=$2 controller=$3 tls=${4:-}
  command -v java >/dev/null || fail "Java 17 or newer is missing: install the Debian package default-jre-headless"
  fetch
  mkdir -p "$dir"
  cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
controller.listener.names=CONTROLLER
log.dirs=$dir/data
# One node: nothing to copy to, and no other member worth waiting for.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
# A killed broker is let in again once its last session is over: nine seconds, unless told otherwise.
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
controller.quorum.election.timeout.ms=300
controller.quorum.fetch.timeout.ms=500
log.segment.bytes=16777216
num.network.threads=2
num.io.threads=4
PROPERTIES
  [ -z "$tls" ] || over_tls "$port" "$controller" "$tls" >>"$dir/server.properties"
  echo "${KAFKA_PROPERTIES:-}" >>"$dir/server.properties"
  local java=(java -Xms128m -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true
    -Dorg.slf4j.simpleLogger.defaultLogLevel="${KAFKA_LOG_LEVEL:-warn}" -Dorg.slf4j.simpleLogger.showDateTime=true
    -cp "$libs/*")
  if [ ! -e "$dir/data/meta.properties" ]; then
    "${java[@]}" kafka.tools.StorageTool format --ignore-formatted --config "$dir/server.properties" \
      --cluster-id wraparoundTests0000000 >"$dir/format.log" 2>&1 || fail "the data folder could not be formatted: $(cat "$dir/format.log")"
  fi
  exec setpriv --pdeathsig KILL "${java[@]}" kafka.Kafka "$dir/server.properties"
}

# Later lines win over earlier ones. The broker calls itself over plain text on its controller's port.
over_tls() {
  cat <<PROPERTIES
listeners=SSL://127.0.0.1:$1,CONTROLLER://127.0.0.1:$2
advertised.listeners=SSL://127.0.0.1:$1
listener.security.protocol.map=SSL:SSL,CONTROLLER:PLAINTEXT
security.inter.broker.protocol=SSL
ssl.keystore.type=PEM
ssl.keystore.location=$3/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$3/ca.crt
ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^.*CN=([^,]+).*$/\$1/
PROPERTIES
}

case "${1:-}" in
  fetch) fetch ;;
  run) [ $# -ge 4 ] || fail "usage: scripts/kafka.sh run DIR PORT CONTROLLER_PORT [TLS]"; run "$2" "$3" "$4" "${5:-}" ;;
  *) sed -n '2,7p' "$0" >&2; exit 2 ;;
esac
