{{/* What a schema cannot say: values that do not go together are refused in words. */}}
{{- define "wraparound.validate" -}}
{{- $name := .Chart.Name -}}
{{- $global := .Values.global -}}
{{- $facts := include "wraparound.facts" . | fromYaml -}}
{{- $kafka := $global.kafka | default dict -}}
{{- $strimzi := dig "strimzi" "enabled" false $global -}}

{{- if gt (len .Release.Name) 32 }}
{{- fail (printf "the release's name %q is too long for the names of what is made from it: take at most 32 letters" .Release.Name) }}
{{- end }}

{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.min) (int .Values.autoscaling.max)) }}
{{- fail (printf "%s: autoscaling.min is more than autoscaling.max" $name) }}
{{- end }}
{{- if .Values.keda.enabled }}
{{- if not $facts.database }}
{{- fail (printf "%s: keda.enabled, but it consumes no events that could lag" $name) }}
{{- end }}
{{- if not .Values.worker.separate }}
{{- fail (printf "%s: keda.enabled scales the worker by its lag, but the worker runs in the pods that answer calls, which autoscaling scales: set worker.separate to true" $name) }}
{{- end }}
{{- if gt (int .Values.keda.min) (int .Values.keda.max) }}
{{- fail (printf "%s: keda.min is more than keda.max" $name) }}
{{- end }}
{{- if not (dig "monitoring" "prometheusUrl" "" $global) }}
{{- fail (printf "%s: keda.enabled asks Prometheus for the lag, and global.monitoring.prometheusUrl is not set" $name) }}
{{- end }}
{{- end }}

{{- if and $strimzi $kafka.brokers }}
{{- fail "global.strimzi.enabled makes a Kafka, and global.kafka.brokers names another: set one of them" }}
{{- end }}
{{- if and $facts.database (not (include "wraparound.kafka" .)) (not (dig "eventLog" "existingSecret" "" $global)) }}
{{- fail "events have no log that all services share: set global.kafka.brokers, or global.strimzi.enabled, or for one machine global.eventLog.existingSecret" }}
{{- end }}
{{- if and $facts.database (hasPrefix "sasl" ($kafka.securityProtocol | default "")) $kafka.brokers }}
{{- if not (and (coalesce .Values.kafka.username $kafka.username) (coalesce .Values.kafka.existingSecret $kafka.existingSecret)) }}
{{- fail (printf "%s: global.kafka.securityProtocol is %s, which takes a user: set kafka.username and kafka.existingSecret, here or in global" $name $kafka.securityProtocol) }}
{{- end }}
{{- end }}

{{- if and (dig "tls" "enabled" false $global) (not .Values.tls.existingSecret) (not (dig "tls" "issuerRef" "name" "" $global)) }}
{{- fail (printf "%s: global.tls.enabled, but nothing gives it a certificate: set global.tls.issuerRef (cert-manager) or tls.existingSecret" $name) }}
{{- end }}

{{- if and .Values.ingress.enabled (ne $facts.protocol "http") }}
{{- fail (printf "%s: ingress is for the portal; gRPC from outside takes partners.route" $name) }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) }}
{{- fail (printf "%s: ingress.host is not set: the name that browsers use" $name) }}
{{- end }}
{{- if .Values.route.enabled }}
{{- if not $facts.outside }}
{{- fail (printf "%s: only the portal and partners may be reached from outside" $name) }}
{{- end }}
{{- if not (and .Values.route.parentRefs .Values.route.hostnames) }}
{{- fail (printf "%s: route.parentRefs (the gateway) and route.hostnames are not set" $name) }}
{{- end }}
{{- if and (dig "tls" "enabled" false $global) (not .Values.route.caConfigMap) }}
{{- fail (printf "%s: route.caConfigMap is not set: with global.tls the gateway must know who signs the pods' certificates" $name) }}
{{- end }}
{{- if and (dig "tls" "enabled" false $global) (eq $facts.protocol "grpc") (not .Values.tls.clientOptional) }}
{{- fail (printf "%s: a gateway shows no certificate: set tls.clientOptional to true, so that partners are known by their tokens" $name) }}
{{- end }}
{{- end }}
{{- end -}}
