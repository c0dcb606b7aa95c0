{{/* Calls scale by CPU. */}}
{{- define "wraparound.autoscaler" -}}
{{- if and .Values.autoscaling.enabled (not (dig "stopped" false .Values.global)) -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{- include "wraparound.metadata" (list . "") | nindent 2 }}
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
{{- end -}}

{{/*
Consumers scale by lag. KEDA's trigger for Kafka wants one consumer group by name, and ours are named anew with each rebuild
of a read model; our own gauge is the same whichever log and group there is. A partition that moved is told by two pods for
a moment, hence `max`.
*/}}
{{- define "wraparound.scaledobject" -}}
{{- if and .Values.keda.enabled (not (dig "stopped" false .Values.global)) -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{- include "wraparound.metadata" (list . "-work") | nindent 2 }}
spec:
  scaleTargetRef: { name: {{ include "wraparound.fullname" . }}-work }
  minReplicaCount: {{ .Values.keda.min }}
  maxReplicaCount: {{ .Values.keda.max }}
  # Without an answer of Prometheus the workers stay as many as they are at least.
  fallback: { failureThreshold: 3, replicas: {{ .Values.keda.min }} }
  triggers:
    - type: prometheus
      metadata:
        serverAddress: {{ .Values.global.monitoring.prometheusUrl }}
        query: sum(max by (consumer, topic, partition) (consumer_lag_records{namespace={{ .Release.Namespace | quote }}, schema={{ .Chart.Name | quote }}}))
        threshold: {{ .Values.keda.lag | quote }}
{{- end -}}
{{- end -}}
