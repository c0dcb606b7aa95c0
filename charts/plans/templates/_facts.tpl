{{/* What this service is, the same in every district. The topics are those that its binary prints (`plans topics`); a test compares. */}}
{{- define "plans.facts" -}}
database: true
protocol: grpc
peers: [rosters]
callers: [portal]
publishes:
  plans.delivery.v1: delete
  plans.follow-up.v1: delete
  plans.goal.v1: delete
  plans.item.v1: delete
  plans.need.v1: delete
  plans.plan.v1: delete
  plans.protected-need.v1: delete
  plans.transition.v1: delete
reads:
  - partners.protected-referral.v1
  - partners.referral.v1
  - reviews.case-access.v1
  - reviews.individual-review.v1
  - reviews.need-reclassified.v1
  - reviews.protected-case.v1
  - reviews.protected-need.v1
  - reviews.student-review.v1
  - reviews.tier.v1
  - rosters.class.v1
  - rosters.staff.v1
  - rosters.student.v1
{{- end -}}
