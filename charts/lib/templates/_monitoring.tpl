{{/* Metrics are at the admin port of each pod, calls or work; that port has no Service. */}}
{{- define "wraparound.podmonitor" -}}
{{- $monitor := dig "monitoring" "podMonitor" dict .Values.global -}}
{{- if $monitor.enabled -}}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  {{- include "wraparound.metadata" (list . "") | nindent 2 }}
    {{- with $monitor.labels }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  selector:
    matchLabels:
      {{- include "wraparound.selector" . | nindent 6 }}
  podMetricsEndpoints:
    - port: admin
      path: /metrics
      interval: {{ $monitor.interval | default "30s" }}
      # Pods that have ended say nothing more.
      filterRunning: true
{{- end -}}
{{- end -}}
