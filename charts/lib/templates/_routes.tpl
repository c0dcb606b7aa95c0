{{/* Ways in from outside: to the portal's pages, and to the partners' gRPC. */}}

{{- define "wraparound.ingress" -}}
{{- $ingress := .Values.ingress -}}
{{- if $ingress.enabled -}}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  {{- include "wraparound.metadata" (list . "") | nindent 2 }}
  {{- with $ingress.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with $ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  rules:
    - host: {{ $ingress.host }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service: { name: {{ include "wraparound.fullname" . }}, port: { number: 7400 } }
  {{- with $ingress.tlsSecret }}
  tls:
    - hosts: [{{ $ingress.host }}]
      secretName: {{ . }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "wraparound.route" -}}
{{- $route := .Values.route -}}
{{- $facts := include "wraparound.facts" . | fromYaml -}}
{{- if $route.enabled -}}
apiVersion: gateway.networking.k8s.io/v1
kind: {{ ternary "GRPCRoute" "HTTPRoute" (eq $facts.protocol "grpc") }}
metadata: {{- include "wraparound.metadata" (list . "") | nindent 2 }}
spec:
  parentRefs: {{- toYaml $route.parentRefs | nindent 4 }}
  hostnames: {{- toYaml $route.hostnames | nindent 4 }}
  rules:
    - backendRefs:
        - { name: {{ include "wraparound.fullname" . }}, port: 7400 }
      {{- with $route.sessionPersistence }}
      sessionPersistence: {{- toYaml . | nindent 8 }}
      {{- end }}
{{- if dig "tls" "enabled" false .Values.global }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {{- include "wraparound.metadata" (list . "") | nindent 2 }}
spec:
  targetRefs:
    - { group: "", kind: Service, name: {{ include "wraparound.fullname" . }} }
  validation:
    caCertificateRefs:
      - { group: "", kind: ConfigMap, name: {{ $route.caConfigMap }} }
    hostname: {{ include "wraparound.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end }}
{{- end -}}
{{- end -}}
