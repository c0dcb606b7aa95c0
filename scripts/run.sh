#!/usr/bin/env bash
# Builds the wraparound command and starts a fictional district with it. Further arguments go to `wraparound up`.
# PROFILE: dev builds in about half the time of release, and is fast enough to look around.
# DATA_DIR: where the district lives, by default data/ in the clone.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${PROFILE:-dev}
folder=$profile
[ "$profile" = dev ] && folder=debug

scripts/setup.sh run
echo "building wraparound (the first time takes some minutes)" >&2
SQLX_OFFLINE=true cargo build --locked --package wraparound --bin wraparound --profile "$profile"
exec "${CARGO_TARGET_DIR:-target}/$folder/wraparound" up --sample --data-dir "${DATA_DIR:-data}" "$@"
