{{/* Addresses: one that balances connections, and a headless one for clients that balance calls. */}}
{{- define "wraparound.services" -}}
{{- $root := . -}}
{{- range $headless := list false true }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "wraparound.fullname" $root }}{{ if $headless }}-grpc{{ end }}
  labels: {{- include "wraparound.labels" $root | nindent 4 }}
spec:
  {{- if $headless }}
  clusterIP: None
  {{- end }}
  selector:
    {{- include "wraparound.selector" $root | nindent 4 }}
    app.kubernetes.io/component: serve
  ports:
    - name: {{ $root.Values.protocol.name }}
      port: 7400
      targetPort: grpc
      appProtocol: {{ $root.Values.protocol.app }}
{{- end }}
{{- end -}}

{{- define "wraparound.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "wraparound.fullname" . }}
  labels: {{- include "wraparound.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "wraparound.selector" . | nindent 6 }}
      app.kubernetes.io/component: serve
{{- end -}}

{{- define "wraparound.autoscaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "wraparound.fullname" . }}
  labels: {{- include "wraparound.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ include "wraparound.fullname" . }} }
  minReplicas: {{ .Values.autoscaling.min }}
  maxReplicas: {{ .Values.autoscaling.max }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ .Values.autoscaling.cpuPercent }} }
{{- end -}}

{{/* Who may speak to it: the release's own pods and the named namespaces; it may speak to whom it must. */}}
{{- define "wraparound.network" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "wraparound.fullname" . }}
  labels: {{- include "wraparound.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "wraparound.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/instance: {{ .Release.Name }}
              app.kubernetes.io/part-of: wraparound
        {{- range .Values.networkPolicy.callersFrom }}
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: {{ . }} } }
        {{- end }}
      ports: [{ port: 7400 }]
    {{- with .Values.networkPolicy.monitoringFrom }}
    - from:
        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: {{ . }} } }
      ports: [{ port: 7409 }]
    {{- end }}
  egress:
    - ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
    - ports:
        {{- range .Values.networkPolicy.egressPorts }}
        - { port: {{ . }} }
        {{- end }}
{{- end -}}

{{/* Everything of one service. */}}
{{- define "wraparound.service" -}}
{{ include "wraparound.configmap" . }}
---
{{- $replicas := ternary 0 (int .Values.replicas) .Values.autoscaling.enabled }}
{{- $together := and .Values.works (not .Values.worker.separate) }}
{{ include "wraparound.deployment" (dict "root" . "component" "serve" "serves" true "replicas" $replicas "verb" (ternary (list "serve" "--with-work") (list "serve") $together)) }}
{{- if and .Values.works .Values.worker.separate }}
---
{{ include "wraparound.deployment" (dict "root" . "component" "work" "serves" false "replicas" (int .Values.worker.replicas) "verb" (list "work")) }}
{{- end }}
{{- include "wraparound.services" . }}
{{- if or .Values.autoscaling.enabled (gt (int .Values.replicas) 1) }}
---
{{ include "wraparound.budget" . }}
{{- end }}
{{- if .Values.autoscaling.enabled }}
---
{{ include "wraparound.autoscaler" . }}
{{- end }}
{{- if .Values.networkPolicy.enabled }}
---
{{ include "wraparound.network" . }}
{{- end }}
{{- end -}}
