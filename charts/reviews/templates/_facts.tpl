{{/* What this service is, the same in every district. The topics are those that its binary prints (`reviews topics`); a test compares. */}}
{{- define "reviews.facts" -}}
database: true
protocol: grpc
peers: [rosters]
callers: [portal]
publishes:
  reviews.case-access.v1: delete
  reviews.class-review.v1: delete
  reviews.concern.v1: delete
  reviews.individual-review.v1: delete
  reviews.need-reclassified.v1: delete
  reviews.protected-case.v1: delete
  reviews.protected-need.v1: delete
  reviews.student-review.v1: delete
  reviews.tier.v1: delete
reads: [reviews.case-access.v1, rosters.class.v1, rosters.staff.v1, rosters.student.v1]
{{- end -}}
