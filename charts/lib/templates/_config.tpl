{{/*
The settings file: what the platform decides, then what the district sets for all services (global), then for this one.
Nothing secret is in it: secrets come by variables from secrets that exist already.
*/}}
{{- define "wraparound.settings" -}}
{{- $global := .Values.global -}}
{{- $facts := include "wraparound.facts" . | fromYaml -}}
{{- $tls := dig "tls" "enabled" false $global -}}
{{- $own := "/etc/certificates/service" -}}
{{- $server := dict "address" "0.0.0.0:7400" -}}
{{- $peers := dict -}}
{{- range $facts.peers }}
{{- $_ := set $peers . (printf "%s://%s-%s-grpc:7400" (ternary "https" "http" $tls) $.Release.Name .) -}}
{{- end }}
{{- if $tls }}
{{- $server = mergeOverwrite $server (dict
    "tls_certificate" (printf "%s/tls.crt" $own)
    "tls_key" (printf "%s/tls.key" $own)
    "restart_spread_seconds" (dig "tls" "restartSpreadSeconds" 300 $global)) -}}
{{- /* Browsers have no certificate. */ -}}
{{- if eq $facts.protocol "grpc" }}
{{- $server = mergeOverwrite $server (dict "tls_client_ca" (printf "%s/ca.crt" $own) "tls_client_optional" .Values.tls.clientOptional) -}}
{{- end }}
{{- $peers = mergeOverwrite $peers (dict
    "ca_file" (printf "%s/ca.crt" $own)
    "certificate" (printf "%s/tls.crt" $own)
    "key" (printf "%s/tls.key" $own)) -}}
{{- end }}
{{- $settings := dict
    "server" $server
    "admin" (dict "address" "0.0.0.0:7409")
    "peers" $peers
    "auth" (include "wraparound.settings.auth" . | fromYaml)
    "telemetry" (dict "otlp_endpoint" (dig "otlpEndpoint" "" $global))
    "district" (dict "time_zone" (required "global.timeZone is not set: an IANA name such as America/New_York" $global.timeZone)) -}}
{{- if $facts.database }}
{{- $_ := set $settings "events" (include "wraparound.settings.events" . | fromYaml) -}}
{{- end }}
{{- if eq $facts.protocol "http" }}
{{- $_ := set $settings "service" (include "wraparound.settings.pages" . | fromYaml) -}}
{{- else if .Values.identity.existingSecret }}
{{- $_ := set $settings "identity" (dict
    "token_uri" (required "global.tokenUri is not set: services ask the issuer for their own tokens there" $global.tokenUri)
    "client_id" (include "wraparound.clientId" .)) -}}
{{- with $global.tokenScope }}{{ $_ := set $settings.identity "scope" . }}{{ end -}}
{{- end }}
{{- /* Helm reads every number as a fraction, and TOML would say so: 3.0. */ -}}
{{- regexReplaceAll "(?m)^( *[a-z_]+ = -?[0-9]+)\\.0$" (toToml (mergeOverwrite $settings (deepCopy .Values.config))) "${1}" -}}
{{- end -}}

{{- define "wraparound.clientId" -}}
{{- .Values.identity.clientId | default (printf "wraparound-%s" .Chart.Name) -}}
{{- end -}}

{{/* People sign in at the issuer, and browsers come by the ingress or the route unless the settings say otherwise. */}}
{{- define "wraparound.settings.pages" -}}
{{- $host := "" -}}
{{- if .Values.ingress.enabled }}{{ $host = .Values.ingress.host }}{{ else if .Values.route.enabled }}{{ $host = first (append .Values.route.hostnames "") }}{{ end -}}
issuer_url: {{ .Values.global.issuer | quote }}
client_id: {{ include "wraparound.clientId" . | quote }}
{{- if $host }}
public_url: {{ printf "https://%s" $host | quote }}
{{- end }}
{{- end -}}

{{- define "wraparound.settings.auth" -}}
issuer: {{ required "global.issuer is not set: the address of the district's OpenID Connect issuer" .Values.global.issuer | quote }}
{{- with .Values.global.groupsClaim }}
groups_claim: {{ . | quote }}
{{- end }}
{{- with .Values.global.rolesOfGroups }}
roles_of_groups: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Whether events go over Kafka: ours (Strimzi) or another's. */}}
{{- define "wraparound.kafka" -}}
{{- if or (dig "strimzi" "enabled" false .Values.global) (dig "kafka" "brokers" "" .Values.global) }}true{{ end -}}
{{- end -}}

{{- define "wraparound.settings.events" -}}
{{- $kafka := .Values.global.kafka | default dict -}}
{{- $files := "/etc/certificates/kafka" -}}
{{- if not (include "wraparound.kafka" .) -}}
log: postgres
{{- else -}}
log: kafka
kafka:
  topic_prefix: {{ $kafka.topicPrefix | default "" | quote }}
  {{- if dig "strimzi" "enabled" false .Values.global }}
  brokers: {{ printf "%s-kafka-kafka-bootstrap:9093" .Release.Name }}
  security_protocol: ssl
  ca_file: {{ $files }}/ca.crt
  certificate: {{ $files }}/user.crt
  key: {{ $files }}/user.key
  create_topics: false
  {{- else }}
  brokers: {{ $kafka.brokers | quote }}
  security_protocol: {{ $kafka.securityProtocol | default "plaintext" }}
  replication: {{ $kafka.replication | default 3 }}
  create_topics: {{ ternary $kafka.createTopics true (hasKey $kafka "createTopics") }}
  {{- if hasPrefix "sasl" ($kafka.securityProtocol | default "") }}
  sasl_mechanism: {{ $kafka.saslMechanism | default "SCRAM-SHA-512" }}
  username: {{ coalesce .Values.kafka.username $kafka.username | quote }}
  {{- end }}
  {{- if $kafka.caSecret }}
  ca_file: {{ $files }}/ca.crt
  {{- end }}
  {{- if coalesce .Values.kafka.certificateSecret $kafka.certificateSecret }}
  certificate: {{ $files }}/tls.crt
  key: {{ $files }}/tls.key
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "wraparound.settingsfile" -}}
apiVersion: v1
kind: ConfigMap
metadata: {{- include "wraparound.metadata" (list . "") | nindent 2 }}
data:
  settings.toml: |
    {{- include "wraparound.settings" . | nindent 4 }}
{{- end -}}
