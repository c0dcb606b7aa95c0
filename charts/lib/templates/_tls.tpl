{{/* Secret with the service's own certificate. */}}
{{- define "wraparound.tlsSecret" -}}
{{- .Values.tls.existingSecret | default (printf "%s-tls" (include "wraparound.fullname" .)) -}}
{{- end -}}

{{/*
A certificate by cert-manager, under both names that the service is called by. It serves with it and shows it to its peers.
*/}}
{{- define "wraparound.certificate" -}}
{{- $tls := .Values.global.tls | default dict -}}
{{- if and $tls.enabled (not .Values.tls.existingSecret) -}}
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{- include "wraparound.metadata" (list . "") | nindent 2 }}
spec:
  secretName: {{ include "wraparound.tlsSecret" . }}
  duration: {{ $tls.duration | default "2160h" }}
  renewBefore: {{ $tls.renewBefore | default "720h" }}
  privateKey: { algorithm: ECDSA, size: 256, rotationPolicy: Always }
  usages: [digital signature, server auth, client auth]
  dnsNames:
    {{- range $name := list (include "wraparound.fullname" .) (printf "%s-grpc" (include "wraparound.fullname" .)) }}
    - {{ $name }}
    - {{ $name }}.{{ $.Release.Namespace }}
    - {{ $name }}.{{ $.Release.Namespace }}.svc
    - {{ $name }}.{{ $.Release.Namespace }}.svc.{{ $tls.clusterDomain | default "cluster.local" }}
    {{- end }}
  issuerRef: {{- toYaml $tls.issuerRef | nindent 4 }}
{{- end -}}
{{- end -}}

{{/* Folders of certificates, as (dict name sources): one projected volume each, so that a new certificate appears at once. */}}
{{- define "wraparound.certificates" -}}
{{- $global := .Values.global -}}
{{- $facts := include "wraparound.facts" . | fromYaml -}}
{{- $kafka := $global.kafka | default dict -}}
{{- if dig "tls" "enabled" false $global }}
service:
  {{- if dig "tls" "caSecret" "" $global }}
  - secret: { name: {{ include "wraparound.tlsSecret" . }}, items: [{ key: tls.crt, path: tls.crt }, { key: tls.key, path: tls.key }] }
  - secret: { name: {{ $global.tls.caSecret }}, items: [{ key: ca.crt, path: ca.crt }] }
  {{- else }}
  - secret: { name: {{ include "wraparound.tlsSecret" . }} }
  {{- end }}
{{- end }}
{{- if $facts.database }}
{{- if dig "strimzi" "enabled" false $global }}
kafka:
  - secret: { name: {{ .Release.Name }}-kafka-cluster-ca-cert, items: [{ key: ca.crt, path: ca.crt }] }
  - secret: { name: {{ include "wraparound.fullname" . }}, items: [{ key: user.crt, path: user.crt }, { key: user.key, path: user.key }] }
{{- else if or $kafka.caSecret $kafka.certificateSecret .Values.kafka.certificateSecret }}
kafka:
  {{- with $kafka.caSecret }}
  - secret: { name: {{ . }}, items: [{ key: ca.crt, path: ca.crt }] }
  {{- end }}
  {{- with coalesce .Values.kafka.certificateSecret $kafka.certificateSecret }}
  - secret: { name: {{ . }}, items: [{ key: tls.crt, path: tls.crt }, { key: tls.key, path: tls.key }] }
  {{- end }}
{{- end }}
{{- if dig "cloudnativepg" "enabled" false $global }}
database:
  - secret: { name: {{ include "wraparound.postgres" . }}-ca, items: [{ key: ca.crt, path: ca.crt }] }
{{- else if .Values.database.caSecret }}
database:
  - secret: { name: {{ .Values.database.caSecret }}, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- end }}
{{- end -}}
