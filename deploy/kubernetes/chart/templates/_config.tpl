{{- /* countersign.yaml: the values of the user, and those that depend on other objects of the chart. */ -}}
{{- define "countersign.config" -}}
{{- include "countersign.checkConfig" . -}}
{{- $written := .Values.config | default (tpl (.Files.Get "files/nothing.yaml") . | fromYaml) | deepCopy -}}
{{- $config := mergeOverwrite (include "countersign.ownConfig" . | fromYaml) $written -}}
{{- if .Values.envoy.enabled -}}
{{- $own := include "countersign.ownEnvoyConfig" . | fromYaml -}}
{{- $_ := set $config "envoy" (mergeOverwrite ($config.envoy | default dict) $own) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- define "countersign.ownConfig" -}}
{{- $values := .Values -}}
version: 1
{{- if gt (int .Values.authz.workers) 1 }}
workers: {{ .Values.authz.workers }}
{{- end }}
listen:
  authz:
    address: 0.0.0.0:{{ .Values.authz.port }}
    {{- include "countersign.listenerTls" . | nindent 4 }}
  admin: { address: '0.0.0.0:{{ .Values.authz.adminPort }}', plaintext: true }
  {{- if .Values.config.issuer }}
  issuer:
    address: 0.0.0.0:{{ .Values.authz.issuerPort }}
    {{- include "countersign.listenerTls" . | nindent 4 }}
  {{- end }}
{{- if include "countersign.sealsGrants" . }}
certificateGrants:
  keyring: file:/etc/countersign/secrets/{{ .Values.certificateGrants.secret }}/grant.keys
{{- end }}
{{- with include "countersign.auditKeyFile" .Values.authz }}
audit: { checkpoints: { key: 'file:{{ . }}', every: {{ $values.authz.auditKey.every }} } }
{{- end }}
state:
  {{- if eq .Values.state.kind "redis" }}
  {{- with .Values.state.redis }}
  redis:
    url: file:/etc/countersign/secrets/{{ .secret }}/url
    secret: file:/etc/countersign/secrets/{{ .secret }}/state.keys
    {{- if .ca }}
    ca: /etc/countersign/secrets/{{ .secret }}/ca.crt
    {{- end }}
    plaintext: {{ .plaintext }}
  {{- end }}
  {{- else if eq .Values.state.kind "sqlite" }}
  sqlite:
    # A folder that authz makes, for its user alone.
    file: /var/lib/countersign/state/state.db
    {{- with .Values.state.sqlite.secret }}
    secret: file:/etc/countersign/secrets/{{ . }}/state.keys
    {{- end }}
  {{- else }}
  memory: {}
  {{- end }}
{{- end -}}

{{- /* Where a container has the key of its audit log, of its values; empty without one. */ -}}
{{- define "countersign.auditKeyFile" -}}
{{- with .auditKey -}}{{ with .secret }}/etc/countersign/secrets/{{ . }}/{{ $.auditKey.file }}{{ end }}{{- end -}}
{{- end -}}

{{- /* TLS of both listeners for Envoy. */ -}}
{{- define "countersign.listenerTls" -}}
{{- if .Values.authz.tls.enabled -}}
{{- $tls := printf "/etc/countersign/secrets/%s" .Values.authz.tls.secret -}}
tls:
  certificate: {{ $tls }}/tls.crt
  key: file:{{ $tls }}/tls.key
  clientCa: {{ $tls }}/ca.crt
{{- else -}}
plaintext: true
{{- end -}}
{{- end -}}

{{- /* The same in Envoy. */ -}}
{{- define "countersign.clientTls" -}}
{{- $tls := printf "/etc/countersign/secrets/%s" .Values.envoy.authzTls.secret -}}
certificate: {{ $tls }}/tls.crt
key: {{ $tls }}/tls.key
ca: {{ $tls }}/ca.crt
serverName: {{ include "countersign.authzHost" . }}
{{- end -}}

{{- define "countersign.ownEnvoyConfig" -}}
{{- $host := include "countersign.authzHost" . -}}
{{- $edge := printf "/etc/countersign/secrets/%s" .Values.envoy.tls.secret -}}
listener:
  address: 0.0.0.0:{{ .Values.envoy.port }}
  certificate: {{ $edge }}/tls.crt
  key: {{ $edge }}/tls.key
  {{- with .Values.envoy.tls.clientCa }}
  clientCa: /etc/countersign/configmaps/{{ . }}/ca.crt
  {{- end }}
admin: unix:/tmp/envoy-admin.sock
authzAddress: {{ $host }}.{{ .Values.clusterDomain }}:{{ .Values.authz.port }}
{{- if .Values.authz.tls.enabled }}
authzTls: {{- include "countersign.clientTls" . | nindent 2 }}
{{- end }}
{{- if .Values.config.issuer }}
issuerAddress: {{ $host }}.{{ .Values.clusterDomain }}:{{ .Values.authz.issuerPort }}
{{- if .Values.authz.tls.enabled }}
issuerTls: {{- include "countersign.clientTls" . | nindent 2 }}
{{- end }}
{{- end }}
{{- if .Values.signer.enabled }}
signerAddress: unix:/run/countersign/signer.sock
{{- end }}
{{- end -}}

{{- /* signer.yaml. */ -}}
{{- define "countersign.signerConfig" -}}
{{- $own := dict "version" 1 "listen" "unix:/run/countersign/signer.sock" -}}
{{- $_ := set $own "keyring" (printf "file:/etc/countersign/secrets/%s/grant.keys" .Values.certificateGrants.secret) -}}
{{- with include "countersign.auditKeyFile" .Values.signer -}}
{{- $_ := set $own "audit" (dict "checkpoints" (dict "key" (printf "file:%s" .) "every" $.Values.signer.auditKey.every)) -}}
{{- end -}}
{{- if .Values.monitoring.exporter.enabled -}}
{{- $_ := set $own "admin" (dict "address" "unix:/run/countersign/signer-admin.sock" "mode" "0660") -}}
{{- end -}}
{{- mergeOverwrite (deepCopy .Values.signer.config) $own | toYaml -}}
{{- end -}}

{{- /* Not empty where authz seals certificate grants: for the chart's signer, or for that of another Envoy. */ -}}
{{- define "countersign.sealsGrants" -}}
{{- if .Values.signer.enabled }}yes{{ end -}}
{{- range .Values.config.routes }}{{ if hasKey (dig "forward" dict .) "certificate" }}yes{{ end }}{{ end -}}
{{- end -}}

{{- /* The parts of countersign.yaml that authz reads only at its start. */ -}}
{{- define "countersign.untilRestart" -}}
{{- $config := include "countersign.config" . | fromYaml -}}
{{- pick $config "listen" "workers" "state" "audit" | toYaml -}}
{{- end -}}

{{- /* The parts of countersign.yaml that determine Envoy's configuration; rules do not, and need no restart. */ -}}
{{- define "countersign.seenByEnvoy" -}}
{{- if .Values.envoy.bootstrap -}}
{{- .Values.envoy.bootstrap -}}
{{- else -}}
{{- $config := include "countersign.config" . | fromYaml -}}
{{- $routes := list -}}
{{- range $config.routes -}}{{- $routes = append $routes (omit . "authorize") -}}{{- end -}}
{{- omit (set $config "routes" $routes) "tests" "log" "audit" "state" | toYaml -}}
{{- end -}}
{{- end -}}
