{{/*
With Strimzi: a topic for everything that the service publishes, and a user whose rights end there. Protected topics are closed
to whoever does not read them by name. Topics stay when the release goes: they hold what read models are rebuilt from.
*/}}
{{- define "wraparound.topics" -}}
{{- $facts := include "wraparound.facts" . | fromYaml -}}
{{- if and (dig "strimzi" "enabled" false .Values.global) $facts.database -}}
{{- $prefix := dig "kafka" "topicPrefix" "" .Values.global -}}
{{- $cluster := printf "%s-kafka" .Release.Name -}}
{{- range $topic, $policy := $facts.publishes }}
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata:
  name: {{ $.Release.Name }}-{{ $topic }}
  labels:
    {{- include "wraparound.labels" $ | nindent 4 }}
    strimzi.io/cluster: {{ $cluster }}
  annotations:
    helm.sh/resource-policy: keep
spec:
  topicName: {{ $prefix }}{{ $topic }}
  partitions: 6
  replicas: {{ dig "strimzi" "replicas" 3 $.Values.global }}
  config:
    cleanup.policy: {{ $policy }}
    retention.ms: -1
    min.insync.replicas: {{ min 2 (dig "strimzi" "replicas" 3 $.Values.global) }}
{{- end }}
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata:
  name: {{ include "wraparound.fullname" . }}
  labels:
    {{- include "wraparound.labels" . | nindent 4 }}
    strimzi.io/cluster: {{ $cluster }}
spec:
  authentication: { type: tls }
  authorization:
    type: simple
    acls:
      {{- range $topic, $_ := $facts.publishes }}
      - resource: { type: topic, name: {{ $prefix }}{{ $topic }}, patternType: literal }
        operations: [Describe, Write]
      {{- end }}
      {{- range $facts.reads }}
      - resource: { type: topic, name: {{ $prefix }}{{ . }}, patternType: literal }
        operations: [Describe, Read]
      {{- end }}
      {{- if not $facts.publishes }}
      # Whoever writes a topic may open an idempotent producer; this one opens one, too, and writes nothing.
      - resource: { type: cluster }
        operations: [IdempotentWrite]
      {{- end }}
      # A rebuilt read model is a new group, so its name is known by its beginning only.
      - resource: { type: group, name: {{ $prefix }}{{ .Chart.Name }}., patternType: prefix }
        operations: [Describe, Read]
{{- end -}}
{{- end -}}
