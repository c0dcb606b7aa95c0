{{/* One variable from one secret: (dict variable secret key). */}}
{{- define "wraparound.secretEnv" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef: { name: {{ .secret }}, key: {{ .key }} }
{{- end -}}

{{/* The operator's cluster that holds this service's database. */}}
{{- define "wraparound.postgres" -}}
{{- if dig "cloudnativepg" "clusterPerService" false .Values.global }}{{ include "wraparound.fullname" . }}-postgres{{ else }}{{ .Release.Name }}-postgres{{ end -}}
{{- end -}}

{{/* Secret that says how to log in to the database. */}}
{{- define "wraparound.databaseSecret" -}}
{{- if dig "cloudnativepg" "enabled" false .Values.global -}}
{{- .Values.database.existingSecret | default (printf "%s-database" (include "wraparound.fullname" .)) -}}
{{- else -}}
{{- required (printf "%s: database.existingSecret is not set: the secret with the service's own database address" .Chart.Name) .Values.database.existingSecret -}}
{{- end -}}
{{- end -}}

{{/*
The database's address. CloudNativePG wants the role's password in a basic-auth secret, so Kubernetes puts the address together:
such a password must be fit for a URL (letters, digits, and -._~).
*/}}
{{- define "wraparound.databaseEnv" -}}
{{- $secret := include "wraparound.databaseSecret" . -}}
{{- if dig "cloudnativepg" "enabled" false .Values.global }}
{{ include "wraparound.secretEnv" (dict "variable" "DATABASE_USERNAME" "secret" $secret "key" "username") }}
{{ include "wraparound.secretEnv" (dict "variable" "DATABASE_PASSWORD" "secret" $secret "key" "password") }}
- name: WRAPAROUND__DATABASE__URL
  value: postgres://$(DATABASE_USERNAME):$(DATABASE_PASSWORD)@{{ include "wraparound.postgres" . }}-rw:5432/{{ .Chart.Name }}?sslmode=verify-full&sslrootcert=/etc/certificates/database/ca.crt
{{- else }}
{{ include "wraparound.secretEnv" (dict "variable" "WRAPAROUND__DATABASE__URL" "secret" $secret "key" .Values.database.key) }}
{{- end }}
{{- end -}}

{{/* Variables that hold secrets, each from a secret that exists already. */}}
{{- define "wraparound.env" -}}
{{- if (include "wraparound.facts" . | fromYaml).database }}
{{- include "wraparound.databaseEnv" . }}
{{- end }}
{{- include "wraparound.otherEnv" . }}
{{- end -}}

{{/* As above, for `migrate`: migrations may have a role of their own. */}}
{{- define "wraparound.migrateEnv" -}}
{{- if .Values.migrations.existingSecret }}
{{ include "wraparound.secretEnv" (dict "variable" "WRAPAROUND__DATABASE__URL" "secret" .Values.migrations.existingSecret "key" .Values.migrations.key) }}
{{- else }}
{{- include "wraparound.databaseEnv" . }}
{{- end }}
{{- include "wraparound.otherEnv" . }}
{{- end -}}

{{- define "wraparound.otherEnv" -}}
{{- $global := .Values.global -}}
{{- $facts := include "wraparound.facts" . | fromYaml -}}
{{- if $facts.database }}
{{- if not (include "wraparound.kafka" .) }}
{{ include "wraparound.secretEnv" (dict "variable" "WRAPAROUND__EVENTS__POSTGRES_URL" "secret" $global.eventLog.existingSecret "key" ($global.eventLog.key | default "url")) }}
{{- else if hasPrefix "sasl" (dig "kafka" "securityProtocol" "" $global) }}
{{ include "wraparound.secretEnv" (dict "variable" "WRAPAROUND__EVENTS__KAFKA__PASSWORD" "secret" (coalesce .Values.kafka.existingSecret $global.kafka.existingSecret) "key" "password") }}
{{- end }}
{{- end }}
{{- with .Values.identity.existingSecret }}
{{ include "wraparound.secretEnv" (dict "variable" (ternary "WRAPAROUND__SERVICE__CLIENT_SECRET" "WRAPAROUND__IDENTITY__CLIENT_SECRET" (eq $facts.protocol "http")) "secret" . "key" "client-secret") }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
