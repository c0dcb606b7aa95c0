#!/usr/bin/env bash
# The upgrade drill: a previous release's programs on this one's schema and these programs beside them, under load, and back again.
# Usage: scripts/upgrade-drill.sh [REVISION]   the previous release; where not given, the commit before the newest migration
set -euo pipefail
cd "$(dirname "$0")/.."
say() { echo "upgrade-drill: $*" >&2; }
fail() { say "$*"; exit 1; }
target=${CARGO_TARGET_DIR:-$PWD/target}
git rev-parse --verify -q HEAD >/dev/null || fail "this needs the repository's history: clone it with git"
newest=$(git log -1 --format=%H --diff-filter=A -- 'migrations/*/*.sql')
revision=$(git rev-parse --verify -q "${1:-$newest~1}^{commit}") || fail "there is no commit ${1:-before $newest}: fetch the whole history (git fetch --unshallow)"
bin=$target/previous/$revision
services=(rosters reviews plans partners reporting portal)
scripts/setup.sh test
export SQLX_OFFLINE=true

if [ ! -e "$bin/.complete" ]; then
  say "building the programs of $(git log -1 --format='%h (%ad)' --date=short "$revision")"
  source=$target/previous/source
  git worktree prune
  git worktree remove --force "$source" 2>/dev/null || true
  git worktree add -q --force --detach "$source" "$revision"
  # The dependencies are mostly the same, so the folder for them is, too.
  packages=()
  for service in "${services[@]}"; do packages+=(--package "$service"); done
  (cd "$source" && CARGO_TARGET_DIR=$target cargo build --locked "${packages[@]}" --bins)
  mkdir -p "$bin"
  for service in "${services[@]}"; do cp "$target/debug/$service" "$bin/"; done
  git worktree remove --force "$source"
  touch "$bin/.complete"
fi
say "building these programs"
# What was built last lies there: a program is linked anew where its file is another release's.
for service in "${services[@]}"; do rm -f "$target/debug/$service"; done
cargo build --locked --workspace --bins
WRAPAROUND_PREVIOUS_BINARIES=$bin cargo test --locked --package integration-tests --test it -- --ignored --nocapture fleet::upgrade
