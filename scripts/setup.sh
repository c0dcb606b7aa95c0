#!/usr/bin/env bash
# Makes sure that this machine has what is needed, installing Debian packages where some are missing.
# Usage: scripts/setup.sh run     what building and running take
#        scripts/setup.sh charts  and what the tests of the charts take on top: etcd, Python, Java
#        scripts/setup.sh test    and what all tests take on top: Java, Maven, Chromium, Python's gRPC
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-run}
target=${CARGO_TARGET_DIR:-$PWD/target}
oldest_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
oldest_postgres=15
oldest_java=17

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
# Whether version $1 is $2 or newer.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -1)" = "$2" ]; }

# --- what is missing, as Debian packages -------------------------------------------------------------------------

rust_version() { cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p'; }

has_postgres() {
  local found=0 version
  for version in $(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null) \
    $(has initdb && initdb --version | sed -n 's/.*) \([0-9]*\).*/\1/p'); do
    [ "$version" -ge "$oldest_postgres" ] 2>/dev/null && found=1
  done
  [ $found = 1 ] && has psql
}

has_java() {
  has java || return 1
  local major
  major=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -1)
  [ "${major:-0}" -ge "$oldest_java" ]
}

# Debian keeps some headers in a folder of the machine's architecture.
has_header() { compgen -G "/usr/include/$1" >/dev/null || compgen -G "/usr/include/*-linux-gnu/$1" >/dev/null; }

# Fills `missing`, a list of packages, and names for each what it is for.
missing=()
need() { missing+=("$1"); say "missing: $2"; }

look() {
  missing=()
  { has cc && has c++ && has make; } || need build-essential "a C compiler (for crates with C inside)"
  has cmake || need cmake "cmake (for the Kafka client)"
  has pkg-config || need pkg-config "pkg-config (for the Kafka client)"
  has_header zlib.h || need zlib1g-dev "zlib's headers (for the Kafka client)"
  has_header openssl/ssl.h || need libssl-dev "OpenSSL's headers (for the Kafka client's TLS)"
  # The client is built without curl, but one of its files asks for curl's header all the same.
  has_header curl/curl.h || need libcurl4-openssl-dev "curl's headers (for the Kafka client)"
  [ -e /etc/ssl/certs/ca-certificates.crt ] || need ca-certificates "certificates (to download crates)"
  has_postgres || need postgresql "PostgreSQL $oldest_postgres or newer"
  [ "$purpose" != run ] || return 0
  python3 -c 'import ensurepip, venv' 2>/dev/null || need python3-venv "Python 3 with venv (for tests in Python)"
  has etcd || need etcd-server "etcd (for the Kubernetes API server that admits the charts)"
  has openssl || need openssl "openssl (for certificates of tests)"
  has_java || need default-jre-headless "Java $oldest_java or newer (for Apache Kafka and Keycloak, and to ask Strimzi's classes)"
  has mvn || need maven "Maven (to fetch them)"
  [ "$purpose" = test ] || return 0
  { has chromium && has chromedriver; } || missing_browser
}

missing_browser() {
  need chromium "Chromium (for the browser tests)"
  missing+=(chromium-driver)
}

# --- Rust ----------------------------------------------------------------------------------------------------------

candidate() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9][^+~-]*\).*/\1/p'; }

has_rust() {
  local have
  have=$(rust_version)
  [ -n "$have" ] && at_least "$have" "$oldest_rust"
}

# A distribution's compiler where it is new enough: Debian has a recent one for its browsers, as cargo-web. Else rustup.
choose_rust() {
  has_rust && return
  say "missing: Rust $oldest_rust or newer (found: $(rust_version || true))"
  if has rustup; then
    use_rustup=1
  elif at_least "$(candidate cargo | grep . || echo 0)" "$oldest_rust"; then
    missing+=(cargo rustc rustfmt rust-clippy)
  elif at_least "$(candidate cargo-web | grep . || echo 0)" "$oldest_rust"; then
    missing+=(cargo-web rustc-web rustfmt-web)
  elif [ -n "$(candidate rustup)" ]; then
    missing+=(rustup)
    use_rustup=1
  else
    no_rust="this system offers no Rust $oldest_rust: install it as https://rustup.rs says, then run make again"
    [ ${#missing[@]} -gt 0 ] || fail "$no_rust"
  fi
}

finish_rust() {
  [ -z "${no_rust:-}" ] || fail "$no_rust"
  if [ -n "${use_rustup:-}" ]; then
    say "asking rustup for the stable toolchain"
    rustup toolchain install stable --profile minimal --component rustfmt,clippy ||
      fail "rustup could not get Rust $oldest_rust: run 'rustup update stable' where it can reach its server"
  fi
  hash -r
  has_rust || fail "cargo is still not Rust $oldest_rust: $(command -v cargo || echo 'not on PATH'), $(rust_version || true)"
}

# --- installing ----------------------------------------------------------------------------------------------------

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

install_missing() {
  [ ${#missing[@]} -gt 0 ] || return 0
  local by_hand="apt-get install ${missing[*]}${no_rust:+   ($no_rust)}"
  has apt-get ||
    fail "there is no apt-get here, so nothing was installed. What is missing, as Debian's packages: ${missing[*]}${no_rust:+; and $no_rust}"
  if [ "$(id -u)" -ne 0 ]; then
    has sudo || fail "installing takes root, and there is no sudo. As root, run:  $by_hand"
    sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; } ||
      fail "installing takes root, and sudo asks for a password. Run:  sudo $by_hand"
  fi
  say "installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -q >&2 || say "apt-get update failed; going on with the package lists that are here"
  # Without a default cluster: Debian's would start with the machine and take port 5432, and nothing here uses it.
  if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    as_root mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2 ||
    fail "apt-get could not install everything. See above; by hand:  $by_hand"
  # Debian starts etcd with the machine; tests start their own.
  if [[ " ${missing[*]} " == *" etcd-server "* ]] && has systemctl; then as_root systemctl disable --now etcd >/dev/null 2>&1 || true; fi
}

# --- the foreign client's Python -----------------------------------------------------------------------------------

python_packages() {
  local wanted
  wanted=$(sha256sum scripts/python/requirements.txt)
  [ "$(cat "$target/venv/.complete" 2>/dev/null)" = "$wanted" ] && return
  say "installing Python's gRPC into $target/venv"
  mkdir -p "$target"
  python3 -m venv --clear "$target/venv"
  "$target/venv/bin/pip" install -q --disable-pip-version-check -r scripts/python/requirements.txt ||
    fail "Python's gRPC could not be installed from PyPI: is it reachable from here?"
  echo "$wanted" >"$target/venv/.complete"
}

case "$purpose" in run | charts | test) ;; *) sed -n '2,5p' "$0" >&2; exit 2 ;; esac
look
if has apt-cache && [ ${#missing[@]} -gt 0 ] || ! has_rust; then
  # A fresh image has no package lists to choose from.
  if [ -z "$(candidate build-essential)" ] && has apt-get && [ "$(id -u)" -eq 0 ]; then apt-get update -q >&2 || true; fi
fi
choose_rust
install_missing
finish_rust
if [ "$purpose" = test ]; then
  python_packages
  scripts/kafka.sh fetch
  scripts/keycloak.sh fetch
fi
