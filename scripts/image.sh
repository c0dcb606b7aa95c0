#!/usr/bin/env bash
# The layout of an image, made without a Docker engine.
# Usage: scripts/image.sh assemble SERVICE BINARY DIR   put the image of a service into a folder
#        scripts/image.sh run DIR [ARGUMENT…]           run it as a container would: that folder is the whole, read-only system,
#                                                       nobody is root, /tmp alone is writable; settings come by variables
set -euo pipefail
cd "$(dirname "$0")/.."
fail() { echo "image.sh: $*" >&2; exit 1; }

assemble() {
  local service=$1 binary=$2 dir=$3 library
  [ -x "$binary" ] || fail "$binary is not there: build it first (cargo build --release --package $service)"
  rm -rf "$dir"
  mkdir -p "$dir"/{usr/local/bin,etc/ssl/certs,etc/wraparound,tmp,proc,dev,usr/share/wraparound}
  install -m 0555 "$binary" "$dir/usr/local/bin/$service"
  ln -s "$service" "$dir/usr/local/bin/service"
  # What the program loads, where it looks for it. The loader resolves names of hosts by libraries that ldd does not list.
  for library in $(ldd "$binary" | grep -o '/[^ ]*') $(find /lib /usr/lib -name 'libnss_dns.so.2' -o -name 'libnss_files.so.2' | head -2); do
    install -D -m 0555 "$(readlink -f "$library")" "$dir$library"
  done
  install -m 0444 /etc/ssl/certs/ca-certificates.crt "$dir/etc/ssl/certs/ca-certificates.crt"
  echo "wraparound:x:10001:10001::/:/sbin/nologin" >"$dir/etc/passwd"
  echo "wraparound:x:10001:" >"$dir/etc/group"
  echo "hosts: files dns" >"$dir/etc/nsswitch.conf"
  chmod 1777 "$dir/tmp"
  bill_of_materials "$service" >"$dir/usr/share/wraparound/sbom.cdx.json"
}

# CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/): the crates that cargo says the program is built from, by its lock file.
bill_of_materials() {
  cargo metadata --locked --format-version 1 --filter-platform "$(rustc -vV | sed -n 's/^host: //p')" | python3 -c '
import json, sys
service, told = sys.argv[1], json.load(sys.stdin)
packages = {p["id"]: p for p in told["packages"]}
depends = {n["id"]: [d["pkg"] for d in n["deps"] if any(k["kind"] != "dev" for k in d["dep_kinds"])] for n in told["resolve"]["nodes"]}
root = next(p for p in told["packages"] if p["name"] == service and p["source"] is None)
seen, todo = set(), [root["id"]]
while todo:
    at = todo.pop()
    if at not in seen:
        seen.add(at)
        todo += depends[at]
purl = lambda p: "pkg:cargo/%s@%s" % (p["name"], p["version"])
def component(p):
    found = {"type": "library", "bom-ref": purl(p), "name": p["name"], "version": p["version"], "purl": purl(p)}
    if p["license"]:
        found["licenses"] = [{"expression": p["license"].replace("/", " OR ")}]
    return found
json.dump({
    "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
    "metadata": {"component": {**component(root), "type": "application"}},
    "components": sorted((component(packages[i]) for i in seen - {root["id"]}), key=lambda c: c["bom-ref"]),
    "dependencies": sorted(({"ref": purl(packages[i]), "dependsOn": sorted({purl(packages[d]) for d in depends[i]})} for i in seen), key=lambda d: d["ref"]),
}, sys.stdout, indent=1)
' "$service"
}

# Namespaces of its own for files and processes; the folder is mounted read-only and becomes the root.
run() {
  local dir
  dir=$(cd "$1" && pwd)
  shift
  export IMAGE_ROOT=$dir IMAGE_USER=--userspec=10001:10001
  local alone=()
  # Who is not root may mount in a namespace only, where just one user can be: root there, and nobody in particular outside.
  if [ "$(id -u)" -ne 0 ]; then
    alone=(--map-root-user)
    IMAGE_USER=
  fi
  exec unshare --mount --fork --pid --kill-child "${alone[@]}" bash -c '
    set -euo pipefail
    mount --bind "$IMAGE_ROOT" "$IMAGE_ROOT"
    mount -o remount,bind,ro "$IMAGE_ROOT"
    mount -t tmpfs -o size=64m,mode=1777 tmpfs "$IMAGE_ROOT/tmp"
    mount --bind /proc "$IMAGE_ROOT/proc"
    [ -z "${IMAGE_SETTINGS:-}" ] || mount --bind "$IMAGE_SETTINGS" "$IMAGE_ROOT/etc/wraparound"
    # Not by exec: who changes users forgets to end with the parent. This shell does not, and with it ends everything in here.
    chroot ${IMAGE_USER:+"$IMAGE_USER"} "$IMAGE_ROOT" /usr/local/bin/service "$@"
    exit
  ' image "$@"
}

case "${1:-}" in
  assemble) [ $# -eq 4 ] || fail "usage: scripts/image.sh assemble SERVICE BINARY DIR"; shift; assemble "$@" ;;
  run) [ $# -ge 2 ] || fail "usage: scripts/image.sh run DIR [ARGUMENT…]"; shift; run "$@" ;;
  *) sed -n '2,6p' "$0" >&2; exit 2 ;;
esac
