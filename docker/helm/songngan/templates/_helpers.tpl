{{- define "songngan.labels" -}}
app.kubernetes.io/name: songngan
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* The same, with what changes between versions; not for selectors. */ -}}
{{- define "songngan.metaLabels" -}}
{{ include "songngan.labels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "songngan.name" -}}
{{ ternary .Release.Name (printf "%s-songngan" .Release.Name) (contains "songngan" .Release.Name) | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- /* One key of a Secret as a variable: [secret, name, optional]. */ -}}
{{- define "songngan.secretKey" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef: { name: {{ index . 0 }}, key: {{ index . 1 }}, optional: {{ index . 2 }} }
{{- end }}

{{- /* Variables of every pod. */ -}}
{{- define "songngan.env" -}}
- { name: HOST, value: "0.0.0.0" }
- { name: PORT, value: "8080" }
- { name: OPS_HOST, value: "0.0.0.0" }
- { name: OPS_PORT, value: "9464" }
- { name: OPS_USER, value: {{ .Values.ops.user | quote }} }
- { name: OPS_READ_ONLY, value: {{ .Values.ops.readOnly | quote }} }
- { name: STORAGE, value: s3 }
- { name: DATA_DIR, value: /data }
{{- if .Values.profilesConfigMap }}
- { name: PROFILES_DIR, value: /profiles }
{{- end }}
{{ include "songngan.secretKey" (list .Values.secrets.shared "REDIS_URL" false) }}
{{- range list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" "OPS_PASSWORD" "OTEL_EXPORTER_OTLP_HEADERS" }}
{{ include "songngan.secretKey" (list $.Values.secrets.shared . true) }}
{{- end }}
{{- end }}

{{- define "songngan.settings" -}}
{{- range $name, $value := . }}
- { name: {{ $name }}, value: {{ $value | quote }} }
{{- end }}
{{- end }}

{{- define "songngan.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "songngan.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- /* Not ready takes a pod out of its Service, and restarts nothing. */ -}}
{{- define "songngan.probes" -}}
startupProbe:
  httpGet: { path: /health/live, port: ops }
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: { path: /health/live, port: ops }
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: { path: /health/ready, port: ops }
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 2
{{- end }}

{{- define "songngan.mounts" -}}
- { name: data, mountPath: /data }
- { name: tmp, mountPath: /tmp }
{{- if .Values.profilesConfigMap }}
- { name: profiles, mountPath: /profiles, readOnly: true }
{{- end }}
{{- end }}

{{- /* Besides `data`. */ -}}
{{- define "songngan.volumes" -}}
- { name: tmp, emptyDir: {} }
{{- with .Values.profilesConfigMap }}
- { name: profiles, configMap: { name: {{ . }} } }
{{- end }}
{{- end }}

{{- define "songngan.annotations" -}}
{{- if .Values.monitoring.annotations }}
prometheus.io/scrape: "true"
prometheus.io/port: "9464"
prometheus.io/path: /metrics
{{- end }}
{{- end }}
