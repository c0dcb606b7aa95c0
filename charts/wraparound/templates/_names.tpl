{{/* Labels of what belongs to the district as a whole; takes (list root component). */}}
{{- define "district.labels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: wraparound
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/part-of: wraparound
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end -}}

{{/* The services that own data and are enabled, as a list in JSON. */}}
{{- define "district.services" -}}
{{- $services := list -}}
{{- range list "rosters" "reviews" "plans" "partners" "reporting" }}
{{- if (index $.Values .).enabled }}{{ $services = append $services . }}{{ end -}}
{{- end }}
{{- $services | toJson -}}
{{- end -}}
