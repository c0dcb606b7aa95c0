{{/* What this service is, the same in every district. The topics are those that its binary prints (`rosters topics`); a test compares. */}}
{{- define "rosters.facts" -}}
database: true
protocol: grpc
peers: []
callers: [reviews, plans, partners, reporting, portal]
publishes:
  rosters.class.v1: compact
  rosters.staff.v1: compact
  rosters.student.v1: compact
reads: [reviews.case-access.v1, rosters.class.v1, rosters.staff.v1, rosters.student.v1]
{{- end -}}
