{{/* What this service is, the same in every district: pages, which own no data and no topics. */}}
{{- define "portal.facts" -}}
database: false
protocol: http
peers: [rosters, reviews, plans, partners, reporting]
callers: []
outside: true
publishes: {}
reads: []
{{- end -}}
