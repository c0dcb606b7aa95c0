{{/*
Who may speak to it: the services that call it, the named callers, and for metrics the named scrapers. It may speak to the
services that it calls, and to the ports (or by the rules) of what lies outside.
*/}}
{{- define "wraparound.networkpolicy" -}}
{{- $policy := .Values.networkPolicy -}}
{{- $facts := include "wraparound.facts" . | fromYaml -}}
{{- if $policy.enabled -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{- include "wraparound.metadata" (list . "") | nindent 2 }}
spec:
  podSelector:
    matchLabels:
      {{- include "wraparound.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- /* A rule without `from` would let everybody in. */}}
    {{- if or $facts.callers $policy.callers }}
    - from:
        {{- range $facts.callers }}
        - podSelector:
            matchLabels: { app.kubernetes.io/name: {{ . }}, app.kubernetes.io/instance: {{ $.Release.Name }} }
        {{- end }}
        {{- with $policy.callers }}{{ toYaml . | nindent 8 }}{{ end }}
      ports: [{ port: 7400 }]
    {{- end }}
    {{- with $policy.monitoring }}
    - from: {{- toYaml . | nindent 8 }}
      ports: [{ port: 7409 }]
    {{- end }}
  egress:
    - ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
    {{- with $facts.peers }}
    - to:
        {{- range . }}
        - podSelector:
            matchLabels: { app.kubernetes.io/name: {{ . }}, app.kubernetes.io/instance: {{ $.Release.Name }} }
        {{- end }}
      ports: [{ port: 7400 }]
    {{- end }}
    {{- if $policy.egress }}
    {{- toYaml $policy.egress | nindent 4 }}
    {{- else if $policy.egressPorts }}
    - ports:
        {{- range $policy.egressPorts }}
        - { port: {{ . }} }
        {{- end }}
    {{- end }}
{{- end -}}
{{- end -}}
