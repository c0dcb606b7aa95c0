{{/* What this service is, the same in every district. The topics are those that its binary prints (`reporting topics`); a test compares. */}}
{{- define "reporting.facts" -}}
database: true
protocol: grpc
peers: [rosters]
callers: [portal]
publishes: {}
reads:
  - partners.capacity.v1
  - partners.disclosure.v1
  - partners.referral.v1
  - plans.delivery.v1
  - plans.goal.v1
  - plans.item.v1
  - plans.need.v1
  - plans.plan.v1
  - reviews.case-access.v1
  - reviews.class-review.v1
  - reviews.concern.v1
  - reviews.individual-review.v1
  - reviews.student-review.v1
  - reviews.tier.v1
  - rosters.class.v1
  - rosters.staff.v1
  - rosters.student.v1
{{- end -}}
