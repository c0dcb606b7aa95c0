{{- define "wraparound.hardened" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* A pod of a service: .verb is what its binary does. */}}
{{- define "wraparound.pod" -}}
{{- $root := .root -}}
metadata:
  labels:
    {{- include "wraparound.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
  annotations:
    checksum/settings: {{ include "wraparound.settings" $root | sha256sum }}
    {{- with $root.Values.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
spec:
  automountServiceAccountToken: false
  terminationGracePeriodSeconds: 45
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile:
      type: RuntimeDefault
  topologySpreadConstraints:
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "wraparound.selector" $root | nindent 10 }}
          app.kubernetes.io/component: {{ $.component }}
    {{- end }}
  {{- if and $root.Values.database.needed (eq $root.Values.migrations.mode "initContainer") }}
  initContainers:
    - name: migrate
      image: {{ include "wraparound.image" $root }}
      args: [migrate, --config, /etc/wraparound/settings.toml]
      env: {{- include "wraparound.env" $root | trim | nindent 8 }}
      securityContext: {{- include "wraparound.hardened" $root | nindent 8 }}
      resources: {{- toYaml $root.Values.resources | nindent 8 }}
      volumeMounts:
        - { name: settings, mountPath: /etc/wraparound, readOnly: true }
        - { name: tmp, mountPath: /tmp }
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
        - { name: grpc, containerPort: 7400 }
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
        preStop:
          sleep: { seconds: 5 }
      securityContext: {{- include "wraparound.hardened" $root | nindent 8 }}
      resources: {{- toYaml $root.Values.resources | nindent 8 }}
      volumeMounts:
        - { name: settings, mountPath: /etc/wraparound, readOnly: true }
        - { name: tmp, mountPath: /tmp }
  volumes:
    - name: settings
      configMap: { name: {{ include "wraparound.fullname" $root }} }
    - name: tmp
      emptyDir: { sizeLimit: {{ $root.Values.tmpSize }} }
{{- end -}}

{{- define "wraparound.deployment" -}}
{{- $name := include "wraparound.fullname" .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}{{ if ne .component "serve" }}-{{ .component }}{{ end }}
  labels: {{- include "wraparound.labels" .root | nindent 4 }}
spec:
  {{- if .replicas }}
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
