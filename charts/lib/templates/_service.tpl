{{/*
Addresses: one that balances connections, and for gRPC a headless one, by which clients balance calls. A server ends its
connections after server.max_connection_age_seconds, so that clients look the addresses up again and find new replicas.
*/}}
{{- define "wraparound.services" -}}
{{- $root := . -}}
{{- $facts := include "wraparound.facts" . | fromYaml -}}
{{- $plain := ternary "kubernetes.io/h2c" "http" (eq $facts.protocol "grpc") -}}
{{- range $headless := ternary (list false true) (list false) (eq $facts.protocol "grpc") }}
---
apiVersion: v1
kind: Service
metadata:
  {{- include "wraparound.metadata" (list $root (ternary "-grpc" "" $headless)) | nindent 2 }}
  {{- with $root.Values.serviceAnnotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if $headless }}
  clusterIP: None
  {{- else if eq $facts.protocol "http" }}
  # Sessions are in the memory of one pod.
  sessionAffinity: ClientIP
  {{- end }}
  selector:
    {{- include "wraparound.selector" $root | nindent 4 }}
    app.kubernetes.io/component: serve
  ports:
    - name: {{ $facts.protocol }}
      port: 7400
      targetPort: {{ $facts.protocol }}
      appProtocol: {{ ternary "https" $plain (dig "tls" "enabled" false $root.Values.global) }}
{{- end }}
{{- end -}}

{{/* A drain of nodes takes one pod at a time; a lone pod would only hold the drain up. */}}
{{- define "wraparound.budgets" -}}
{{- $several := dict
    "serve" (or .Values.autoscaling.enabled (gt (int .Values.replicas) 1))
    "work" (and .Values.worker.separate (or .Values.keda.enabled (gt (int .Values.worker.replicas) 1))) -}}
{{- range $component := list "serve" "work" }}
{{- if index $several $component }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{- include "wraparound.metadata" (list $ (ternary "" "-work" (eq $component "serve"))) | nindent 2 }}
spec:
  maxUnavailable: 1
  # A pod that is not well anyway does not hold a drain up.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "wraparound.selector" $ | nindent 6 }}
      app.kubernetes.io/component: {{ $component }}
{{- end }}
{{- end }}
{{- end -}}
