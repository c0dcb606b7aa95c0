{{/* Name of what belongs to one service of a release. */}}
{{- define "wraparound.fullname" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
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

{{/* A digest wins over a tag; without either it is the version of the chart. */}}
{{- define "wraparound.image" -}}
{{- $image := .Values.image -}}
{{- $name := printf "%s/%s" (default "wraparound" (dig "image" "registry" "" .Values.global)) (default .Chart.Name $image.name) -}}
{{- if $image.digest -}}{{ printf "%s@%s" $name $image.digest }}
{{- else -}}{{ printf "%s:%s" $name (coalesce $image.tag (dig "image" "tag" "" .Values.global) .Chart.AppVersion) }}
{{- end -}}
{{- end -}}
