{{- define "mcp-gateway.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mcp-gateway.selectorLabels" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "mcp-gateway.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "mcp-gateway.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "mcp-gateway.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "mcp-gateway.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "mcp-gateway.image" -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}

{{/* What makes an installation impossible, said at rendering rather than by a pod that does not start. */}}
{{- define "mcp-gateway.validate" -}}
{{- $postgres := or .Values.database.url .Values.database.existingSecret (hasKey .Values.secrets "DATABASE_URL") .Values.existingSecret -}}
{{- $replicas := ternary .Values.autoscaling.maxReplicas (int .Values.replicaCount) .Values.autoscaling.enabled -}}
{{- if and (gt (int $replicas) 1) (not $postgres) -}}
{{- fail "Several replicas need PostgreSQL: set database.existingSecret or database.url, or set replicaCount=1 and persistence.enabled=true." -}}
{{- end -}}
{{- if and .Values.persistence.enabled (gt (int $replicas) 1) -}}
{{- fail "persistence is for one replica on the embedded database: set replicaCount=1, or disable persistence and use PostgreSQL." -}}
{{- end -}}
{{- if and (not .Values.existingSecret) (not (hasKey .Values.secrets "SECRET_KEY")) -}}
{{- fail "SECRET_KEY is missing: name a Secret that holds it in existingSecret, or set secrets.SECRET_KEY (openssl rand -hex 32)." -}}
{{- end -}}
{{- if and .Values.database.url .Values.database.existingSecret -}}
{{- fail "Set either database.url or database.existingSecret, not both." -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs is empty: name the Gateway that should route to this service." -}}
{{- end -}}
{{- $reserved := list "HOST" "PORT" "DATA_DIR" "DATABASE_URL" "METRICS_PORT" "METRICS_HOST" "TRUSTED_PROXY_HOPS" "NODE_ENV" -}}
{{- range .Values.extraEnv -}}
{{- if has .name $reserved -}}
{{- fail (printf "extraEnv must not set %s: the chart sets it from its own values." .name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $_ := .Values.config -}}
{{- if has $name $reserved -}}
{{- fail (printf "config must not set %s: the chart sets it from its own values." $name) -}}
{{- end -}}
{{- if and (regexMatch "(SECRET|PASSWORD|_KEY$|TOKEN$)" $name) (ne $name "VAULT_TRANSIT_KEY") -}}
{{- fail (printf "%s looks like a secret: put it into existingSecret or secrets, not into config." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "mcp-gateway.env" -}}
- name: NODE_ENV
  value: production
- name: HOST
  value: 0.0.0.0
- name: PORT
  value: "8080"
- name: DATA_DIR
  value: /data
- name: TRUSTED_PROXY_HOPS
  value: {{ .Values.trustedProxyHops | quote }}
{{- if .Values.metrics.enabled }}
- name: METRICS_PORT
  value: {{ .Values.metrics.port | quote }}
- name: METRICS_HOST
  value: 0.0.0.0
{{- end }}
{{- if .Values.scopes }}
- name: SCOPES_CONFIG_PATH
  value: /etc/mcp-gateway/scopes/scopes.yml
{{- end }}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/mcp-gateway/ca/{{ .Values.caBundle.key }}
{{- end }}
{{- if .Values.database.existingSecret }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.existingSecret }}
      key: {{ .Values.database.existingSecretKey }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mcp-gateway.envFrom" -}}
- configMapRef:
    name: {{ include "mcp-gateway.fullname" . }}
- secretRef:
    name: {{ default (include "mcp-gateway.fullname" .) .Values.existingSecret }}
{{- if and .Values.existingSecret .Values.database.url }}
- secretRef:
    name: {{ include "mcp-gateway.fullname" . }}
{{- end }}
{{- with .Values.extraEnvFrom }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mcp-gateway.volumeMounts" -}}
- name: data
  mountPath: /data
- name: tmp
  mountPath: /tmp
{{- if .Values.scopes }}
- name: scopes
  mountPath: /etc/mcp-gateway/scopes
  readOnly: true
{{- end }}
{{- if or .Values.caBundle.configMap .Values.caBundle.secret }}
- name: ca
  mountPath: /etc/mcp-gateway/ca
  readOnly: true
{{- end }}
{{- if .Values.database.tlsSecret }}
- name: database-tls
  mountPath: /etc/mcp-gateway/database
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "mcp-gateway.volumes" -}}
- name: data
{{- if .Values.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ default (include "mcp-gateway.fullname" .) .Values.persistence.existingClaim }}
{{- else }}
  emptyDir:
    sizeLimit: 256Mi
{{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 64Mi
{{- if .Values.scopes }}
- name: scopes
  configMap:
    name: {{ include "mcp-gateway.fullname" . }}-scopes
{{- end }}
{{- if .Values.caBundle.configMap }}
- name: ca
  configMap:
    name: {{ .Values.caBundle.configMap }}
{{- else if .Values.caBundle.secret }}
- name: ca
  secret:
    secretName: {{ .Values.caBundle.secret }}
{{- end }}
{{- if .Values.database.tlsSecret }}
- name: database-tls
  secret:
    secretName: {{ .Values.database.tlsSecret }}
    defaultMode: 0440
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
