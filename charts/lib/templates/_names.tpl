{{/* Name of what belongs to one service of a release. */}}
{{- define "wraparound.fullname" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name -}}
{{- end -}}

{{- define "wraparound.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "wraparound.labels" -}}
{{ include "wraparound.selector" . }}
app.kubernetes.io/part-of: wraparound
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Name and labels of an object; takes (list root suffix), the suffix beginning with a dash or empty. */}}
{{- define "wraparound.metadata" -}}
{{- $root := index . 0 -}}
name: {{ include "wraparound.fullname" $root }}{{ index . 1 }}
labels:
  {{- include "wraparound.labels" $root | nindent 2 }}
{{- end -}}

{{/* What the service is; each chart says it in _facts.tpl. */}}
{{- define "wraparound.facts" -}}
{{- include (printf "%s.facts" .Chart.Name) . -}}
{{- end -}}

{{/* A digest wins over a tag; without either it is the version of the chart. */}}
{{- define "wraparound.image" -}}
{{- $image := .Values.image -}}
{{- $global := .Values.global.image | default dict -}}
{{- $name := printf "%s/%s" ($global.registry | default "wraparound") ($image.name | default .Chart.Name) -}}
{{- if $image.digest -}}{{ printf "%s@%s" $name $image.digest }}
{{- else -}}{{ printf "%s:%s" $name (coalesce $image.tag $global.tag .Chart.AppVersion) }}
{{- end -}}
{{- end -}}

{{- define "wraparound.serviceAccountName" -}}
{{- $account := .Values.serviceAccount -}}
{{- if $account.create }}{{ $account.name | default (include "wraparound.fullname" .) }}{{ else }}{{ $account.name | default "default" }}{{ end -}}
{{- end -}}

{{- define "wraparound.serviceaccount" -}}
{{- if .Values.serviceAccount.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "wraparound.serviceAccountName" . }}
  labels: {{- include "wraparound.labels" . | nindent 4 }}
  {{- with .Values.serviceAccount.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
{{- end -}}

{{/*
Everything of one service. Each part is empty where it is not wanted; a part of several objects separates them itself.
*/}}
{{- define "wraparound.service" -}}
{{- include "wraparound.validate" . -}}
{{- range list "serviceaccount" "settingsfile" "certificate" "topics" "migration" "deployments" "services" "budgets" "autoscaler" "scaledobject" "networkpolicy" "podmonitor" "ingress" "route" }}
{{- with include (printf "wraparound.%s" .) $ | trim }}
---
{{ . }}
{{- end }}
{{- end }}
{{- end -}}
