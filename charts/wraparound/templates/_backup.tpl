{{- define "district.backup.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.global.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext: {{- include "wraparound.unprivileged" . | nindent 2 }}
{{- end -}}

{{/* One of the two scripts in PostgreSQL's own image: (list root script variables). */}}
{{- define "district.backup.container" -}}
{{- $root := index . 0 -}}
{{- $script := index . 1 -}}
{{- $services := include "district.services" $root | fromJsonArray -}}
{{- $log := not (include "wraparound.kafka" $root) -}}
- name: {{ $script }}
  image: {{ $root.Values.backup.image }}
  command: [bash, /scripts/{{ $script }}.sh]
  env:
    - { name: BACKUP_DIR, value: /backup }
    - { name: SERVICES, value: {{ join " " (ternary (append $services "event_log") $services $log) }} }
    {{- range $variable, $value := index . 2 }}
    - { name: {{ $variable }}, value: {{ $value | quote }} }
    {{- end }}
    {{- range $services }}
    {{- $service := index $root.Subcharts . }}
    {{- include "wraparound.secretEnv" (dict "variable" (printf "%s_DATABASE_URL" (upper .)) "secret" (include "wraparound.databaseSecret" $service) "key" $service.Values.database.key) | nindent 4 }}
    {{- end }}
    {{- if $log }}
    {{- include "wraparound.secretEnv" (dict "variable" "EVENT_LOG_DATABASE_URL" "secret" $root.Values.global.eventLog.existingSecret "key" $root.Values.global.eventLog.key) | nindent 4 }}
    {{- end }}
  securityContext: {{- include "wraparound.hardened" $root | nindent 4 }}
  resources: {{- toYaml $root.Values.backup.resources | nindent 4 }}
  volumeMounts:
    - { name: scripts, mountPath: /scripts, readOnly: true }
    - { name: backup, mountPath: /backup }
    - { name: scratch, mountPath: /tmp }
    {{- if $root.Values.backup.caSecret }}
    - { name: database-ca, mountPath: /etc/certificates/database, readOnly: true }
    {{- end }}
{{- end -}}

{{- define "district.backup.volumes" -}}
- name: scripts
  configMap: { name: {{ .Release.Name }}-backup }
- name: backup
  persistentVolumeClaim: { claimName: {{ .Values.backup.existingClaim | default (printf "%s-backup" .Release.Name) }} }
- name: scratch
  emptyDir: { sizeLimit: 64Mi }
{{- with .Values.backup.caSecret }}
- name: database-ca
  secret: { secretName: {{ . }}, items: [{ key: ca.crt, path: ca.crt }] }
{{- end }}
{{- end -}}
