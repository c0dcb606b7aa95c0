{{/*
The settings file: what the platform decides, then what the district sets for all services (global), then for this one.
Nothing secret is in it: secrets come by variables from secrets that exist already.
*/}}
{{- define "wraparound.settings" -}}
{{- $global := .Values.global | default dict -}}
{{- $peer := printf "http://%s-%%s-grpc:7400" .Release.Name -}}
{{- $peers := dict -}}
{{- range .Values.peers }}{{ $_ := set $peers . (printf $peer .) }}{{ end -}}
{{- $events := dict "log" (ternary "kafka" "postgres" (not (empty (dig "kafka" "brokers" "" $global)))) -}}
{{- if dig "kafka" "brokers" "" $global }}{{ $_ := set $events "kafka" (pick $global.kafka "brokers" "security_protocol" "username" "replication" "topic_prefix") }}{{ end -}}
{{- $base := dict
    "server" (dict "address" "0.0.0.0:7400")
    "admin" (dict "address" "0.0.0.0:7409")
    "peers" $peers
    "events" $events
    "auth" (dict "issuer" (required "global.issuer is not set: the address of the district's OpenID Connect issuer" $global.issuer))
    "telemetry" (dict "otlp_endpoint" (default "" $global.otlpEndpoint))
    "district" (dict "time_zone" (required "global.timeZone is not set: an IANA name such as America/New_York" $global.timeZone)) -}}
{{- if .Values.identity.existingSecret }}{{ $_ := set $base "identity" (dict "token_uri" (required "global.tokenUri is not set: services ask the issuer for their own tokens there" $global.tokenUri) "client_id" .Values.identity.clientId) }}{{ end -}}
{{- toToml (mergeOverwrite $base (deepCopy (.Values.config | default dict))) -}}
{{- end -}}

{{- define "wraparound.configmap" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "wraparound.fullname" . }}
  labels: {{- include "wraparound.labels" . | nindent 4 }}
data:
  settings.toml: |
    {{- include "wraparound.settings" . | nindent 4 }}
{{- end -}}

{{- define "wraparound.secretEnv" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}

{{/* Variables that hold secrets, each from a secret that exists already. */}}
{{- define "wraparound.env" -}}
{{- if .Values.database.needed }}
{{ include "wraparound.secretEnv" (dict "variable" "WRAPAROUND__DATABASE__URL" "secret" (required (printf "%s: database.existingSecret is not set: the secret that holds the service's own database address" .Chart.Name) .Values.database.existingSecret) "key" .Values.database.key) }}
{{- end }}
{{- with dig "kafka" "existingSecret" "" (.Values.global | default dict) }}
{{ include "wraparound.secretEnv" (dict "variable" "WRAPAROUND__EVENTS__KAFKA__PASSWORD" "secret" . "key" "password") }}
{{- end }}
{{- with .Values.identity.existingSecret }}
{{ include "wraparound.secretEnv" (dict "variable" "WRAPAROUND__IDENTITY__CLIENT_SECRET" "secret" . "key" "client-secret") }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
