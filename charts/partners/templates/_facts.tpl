{{/* What this service is, the same in every district. The topics are those that its binary prints (`partners topics`); a test compares. */}}
{{- define "partners.facts" -}}
database: true
protocol: grpc
peers: [rosters]
callers: [portal]
# Partner organisations call it from outside.
outside: true
publishes:
  partners.capacity.v1: compact
  partners.disclosure.v1: delete
  partners.protected-referral.v1: delete
  partners.referral.v1: delete
reads: [reviews.case-access.v1, rosters.class.v1, rosters.staff.v1, rosters.student.v1]
{{- end -}}
