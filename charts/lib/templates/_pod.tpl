{{- define "wraparound.hardened" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* What Pod Security's "restricted" asks of a pod. */}}
{{- define "wraparound.unprivileged" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Settings, certificates and room for temporary files. Named by the service, so that pods of several services can be made. */}}
{{- define "wraparound.mounts" -}}
- { name: {{ .Chart.Name }}-settings, mountPath: /etc/wraparound, readOnly: true }
- { name: {{ .Chart.Name }}-tmp, mountPath: /tmp }
{{- range $name, $_ := include "wraparound.certificates" . | fromYaml }}
- { name: {{ $.Chart.Name }}-certificates-{{ $name }}, mountPath: /etc/certificates/{{ $name }}, readOnly: true }
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "wraparound.volumes" -}}
- name: {{ .Chart.Name }}-settings
  configMap: { name: {{ include "wraparound.fullname" . }} }
- name: {{ .Chart.Name }}-tmp
  emptyDir: { sizeLimit: {{ .Values.tmpSize }} }
{{- range $name, $sources := include "wraparound.certificates" . | fromYaml }}
- name: {{ $.Chart.Name }}-certificates-{{ $name }}
  projected:
    defaultMode: 0440
    sources: {{- toYaml $sources | nindent 6 }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* A container that does something with the database and ends: (dict root name args env), args being the verb's. */}}
{{- define "wraparound.preparing" -}}
- name: {{ .name }}
  image: {{ include "wraparound.image" .root }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: {{ concat .args (list "--config" "/etc/wraparound/settings.toml") | toJson }}
  env: {{- .env | trim | nindent 4 }}
  securityContext: {{- include "wraparound.hardened" .root | nindent 4 }}
  resources: {{- toYaml .root.Values.resources | nindent 4 }}
  volumeMounts: {{- include "wraparound.mounts" .root | nindent 4 }}
{{- end -}}

{{/* What pods have in common, whatever runs in them. */}}
{{- define "wraparound.podbasics" -}}
serviceAccountName: {{ include "wraparound.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with dig "image" "pullSecrets" list .Values.global }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext: {{- include "wraparound.unprivileged" . | nindent 2 }}
volumes: {{- include "wraparound.volumes" . | nindent 2 }}
{{- end -}}

{{/* A pod of a service: (dict root component serves verb resources). */}}
{{- define "wraparound.pod" -}}
{{- $root := .root -}}
{{- $facts := include "wraparound.facts" $root | fromYaml -}}
metadata:
  labels:
    {{- include "wraparound.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    {{- with $root.Values.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  annotations:
    # A change of settings makes new pods.
    checksum/settings: {{ include "wraparound.settings" $root | sha256sum }}
    {{- with $root.Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  {{- include "wraparound.podbasics" $root | nindent 2 }}
  # preStop 5 + shutdown.grace_seconds 25, and room.
  terminationGracePeriodSeconds: 45
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      # Pods of one rollout are spread among themselves.
      matchLabelKeys: [pod-template-hash]
      labelSelector:
        matchLabels:
          {{- include "wraparound.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ $.component }}
    {{- end }}
  {{- if $facts.database }}
  initContainers:
    {{- if eq $root.Values.migrations.mode "initContainer" }}
    {{- include "wraparound.preparing" (dict "root" $root "name" "migrate" "args" (list "migrate") "env" (include "wraparound.migrateEnv" $root)) | nindent 4 }}
    {{- else }}
    {{- include "wraparound.preparing" (dict "root" $root "name" "wait-for-db" "args" (list "wait-for-db") "env" (include "wraparound.env" $root)) | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ $root.Chart.Name }}
      image: {{ include "wraparound.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ concat .verb (list "--config" "/etc/wraparound/settings.toml") | toJson }}
      {{- with include "wraparound.env" $root | trim }}
      env: {{- . | nindent 8 }}
      {{- end }}
      ports:
        {{- if .serves }}
        - { name: {{ $facts.protocol }}, containerPort: 7400 }
        {{- end }}
        - { name: admin, containerPort: 7409 }
      startupProbe:
        httpGet: { path: /livez, port: admin }
        periodSeconds: 1
        failureThreshold: 60
      livenessProbe:
        httpGet: { path: /livez, port: admin }
      readinessProbe:
        httpGet: { path: /readyz, port: admin }
        periodSeconds: 5
      lifecycle:
        # Endpoints forget the pod after the stop signal has been sent; until then it goes on answering.
        preStop:
          sleep: { seconds: 5 }
      securityContext: {{- include "wraparound.hardened" $root | nindent 8 }}
      resources: {{- toYaml .resources | nindent 8 }}
      volumeMounts: {{- include "wraparound.mounts" $root | nindent 8 }}
{{- end -}}

{{- define "wraparound.deployment" -}}
{{- $suffix := ternary "" "-work" .serves -}}
apiVersion: apps/v1
kind: Deployment
metadata: {{- include "wraparound.metadata" (list .root $suffix) | nindent 2 }}
spec:
  {{- if dig "stopped" false .root.Values.global }}
  replicas: 0
  {{- else if .replicas }}
  replicas: {{ .replicas }}
  {{- end }}
  strategy:
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 }
  selector:
    matchLabels:
      {{- include "wraparound.selector" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .component }}
  template:
    {{- include "wraparound.pod" . | nindent 4 }}
{{- end -}}

{{/* One image, two verbs: `serve` answers calls, `work` publishes and consumes. A scaled Deployment leaves replicas to its scaler. */}}
{{- define "wraparound.deployments" -}}
{{- $works := (include "wraparound.facts" . | fromYaml).database -}}
{{- $separate := and $works .Values.worker.separate -}}
{{- $verb := ternary (list "serve" "--with-work") (list "serve") (and $works (not $separate)) -}}
{{ include "wraparound.deployment" (dict "root" . "component" "serve" "serves" true "verb" $verb "resources" .Values.resources "replicas" (ternary 0 (int .Values.replicas) .Values.autoscaling.enabled)) }}
{{- if $separate }}
---
{{ include "wraparound.deployment" (dict "root" . "component" "work" "serves" false "verb" (list "work") "resources" (.Values.worker.resources | default .Values.resources) "replicas" (ternary 0 (int .Values.worker.replicas) .Values.keda.enabled)) }}
{{- end }}
{{- end -}}

{{/* One Job a state of image and settings; not a hook, so that `--wait`, Argo CD and Flux all see it. */}}
{{- define "wraparound.migration" -}}
{{- if and (include "wraparound.facts" . | fromYaml).database (eq .Values.migrations.mode "job") -}}
{{- $state := printf "%s %s" (include "wraparound.image" .) (include "wraparound.settings" .) | sha256sum | trunc 8 -}}
apiVersion: batch/v1
kind: Job
metadata: {{- include "wraparound.metadata" (list . (printf "-migrate-%s" $state)) | nindent 2 }}
spec:
  backoffLimit: 10
  ttlSecondsAfterFinished: 86400
  template:
    metadata:
      labels:
        {{- include "wraparound.labels" . | nindent 8 }}
        app.kubernetes.io/component: migrate
    spec:
      {{- include "wraparound.podbasics" . | nindent 6 }}
      restartPolicy: OnFailure
      containers:
        {{- include "wraparound.preparing" (dict "root" . "name" "migrate" "args" (list "migrate") "env" (include "wraparound.migrateEnv" .)) | nindent 8 }}
{{- end -}}
{{- end -}}
