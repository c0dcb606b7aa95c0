#!/usr/bin/env bash
# Lints the charts strictly, renders every preset, and lets the real binaries check the settings that were rendered.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
tools=$PWD/target/tools
helm=$(command -v helm || echo "$tools/helm")
scripts/setup.sh run
if [ ! -x "$helm" ]; then
  command -v go >/dev/null || { echo "helm is built from its Go module: install helm 4, or Go (apt-get install golang-go)" >&2; exit 1; }
  echo "building helm from its Go module" >&2
  GOBIN=$tools go install helm.sh/helm/v4/cmd/helm@v4.3.1
fi
services=(rosters reviews plans partners reporting portal)
out=target/charts
mkdir -p "$out"
SQLX_OFFLINE=true cargo build --locked --workspace --bins

for service in "${services[@]}"; do "$helm" dependency update "charts/$service" >/dev/null; done
"$helm" dependency update charts/wraparound >/dev/null

# What is missing is said in words.
if "$helm" template district charts/wraparound 2>"$out/refused"; then echo "values without an issuer were taken" >&2; exit 1; fi
grep -q "global.issuer is not set" "$out/refused"
if "$helm" template district charts/wraparound -f charts/wraparound/presets/small.yaml --set rosters.replica=2 2>"$out/refused" >/dev/null; then
  echo "an unknown value was taken" >&2; exit 1
fi
grep -q "replica" "$out/refused"

# What the pods get from secrets.
export WRAPAROUND__DATABASE__URL=postgres://example@127.0.0.1/example WRAPAROUND__EVENTS__KAFKA__PASSWORD=example WRAPAROUND__IDENTITY__CLIENT_SECRET=example
passed=0
for values in charts/wraparound/presets/*.yaml; do
  preset=$(basename "$values" .yaml)
  "$helm" lint --strict charts/wraparound -f "$values" --quiet
  "$helm" template district charts/wraparound -f "$values" > "$out/$preset.yaml"
  for service in "${services[@]}"; do
    "$helm" template district charts/wraparound -f "$values" --show-only "charts/$service/templates/all.yaml" \
      | awk '/^  settings.toml: \|/ { on = 1; next } on && /^---/ { on = 0 } on { sub(/^    /, ""); print }' > "$out/$preset-$service.toml"
    "$target/debug/$service" check-config --config "$out/$preset-$service.toml" > "$out/check" 2>&1 || { cat "$out/check" >&2; echo "$preset: $service refuses its settings" >&2; exit 1; }
    passed=$((passed + 1))
  done
  # Hardening holds for every container; nothing secret is rendered.
  containers=$(grep -cE '^ +image: ' "$out/$preset.yaml")
  for line in 'readOnlyRootFilesystem: true' 'allowPrivilegeEscalation: false' 'limits:'; do
    [ "$(grep -c "$line" "$out/$preset.yaml")" -eq "$containers" ] || { echo "$preset: not every container has $line" >&2; exit 1; }
  done
  if grep -nE '^kind: Secret|postgres://|password: ' "$out/$preset.yaml"; then echo "$preset: a secret is rendered" >&2; exit 1; fi
  passed=$((passed + 1))
done
echo "$passed passed, 0 failed"
