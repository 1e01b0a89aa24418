{{- define "countersign.fullname" -}}
{{- $chart := .Values.nameOverride | default .Chart.Name -}}
{{- $both := contains $chart .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $chart) -}}
{{- /* 63 characters, less the longest suffix. */ -}}
{{- .Values.fullnameOverride | default $both | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- /* Labels of the pods of one part: (list $ "authz"). They never change, because selectors are immutable. */ -}}
{{- define "countersign.selectorLabels" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ $root.Values.nameOverride | default $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{- define "countersign.labels" -}}
{{- $root := first . -}}
{{ include "countersign.selectorLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "countersign.image" -}}
{{- $root := first . -}}
{{- with last . -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The DNS name of authz, which its certificate must have. */ -}}
{{- define "countersign.authzHost" -}}
{{ include "countersign.fullname" . }}-authz.{{ .Release.Namespace }}.svc
{{- end -}}

{{- /* The ports of all workers: (list $ "grpc" 9001) gives { name, port } of each, worker 0 without a number. */ -}}
{{- define "countersign.workerPorts" -}}
{{- $workers := (first .).Values.authz.workers | int -}}
{{- $first := last . -}}
{{- $name := index . 1 -}}
{{- range $index := until $workers }}
- { name: {{ ternary $name (printf "%s-%d" $name $index) (eq $index 0) }}, port: {{ add $first $index }} }
{{- end -}}
{{- end -}}

{{- /* The same as a port of a NetworkPolicy, which can state a range as numbers alone. */ -}}
{{- define "countersign.policyPort" -}}
{{- $workers := (first .).Values.authz.workers | int -}}
{{- $first := last . -}}
{{- if gt $workers 1 -}}
- { protocol: TCP, port: {{ $first }}, endPort: {{ sub (add $first $workers) 1 }} }
{{- else -}}
- { protocol: TCP, port: {{ index . 1 }} }
{{- end -}}
{{- end -}}

{{- /* Whether authz sends requests to the API server of its cluster: "true" or nothing. */ -}}
{{- define "countersign.asksApiServer" -}}
{{- if or .Values.apiServer.tokenReview .Values.apiServer.subjectAccessReview -}}true{{- end -}}
{{- end -}}

{{- /* Whether the service account of authz has any role: "true" or nothing. */ -}}
{{- define "countersign.usesAccount" -}}
{{- if or (include "countersign.asksApiServer" .) .Values.apiServer.impersonation.enabled -}}true{{- end -}}
{{- end -}}

{{- /* The ServiceAccount of one part: (list $ "authz"). */ -}}
{{- define "countersign.account" -}}
{{- $root := first . -}}
{{- $own := printf "%s-%s" (include "countersign.fullname" $root) (last .) -}}
{{- (get $root.Values (last .)).serviceAccount.name | default $own -}}
{{- end -}}

{{- /* The PersistentVolumeClaim of the state file. */ -}}
{{- define "countersign.claim" -}}
{{- .Values.state.sqlite.existingClaim | default (printf "%s-state" (include "countersign.fullname" .)) -}}
{{- end -}}
