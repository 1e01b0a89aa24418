{{- /* Settings that cannot work, or are less safe than they look, are errors before anything is installed. */ -}}
{{- define "countersign.checkConfig" -}}
{{- range tuple "listen" "state" "certificateGrants" -}}
{{- if hasKey $.Values.config . -}}
{{- fail (printf "config.%s: the chart writes it; remove it, and set the values authz, state or certificateGrants instead" .) -}}
{{- end -}}
{{- end -}}
{{- range tuple "version" "listen" "keyring" -}}
{{- if hasKey $.Values.signer.config . -}}
{{- fail (printf "signer.config.%s: the chart writes it; remove it" .) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.envoy.bootstrap (not .Values.authz.tls.enabled) -}}
{{- fail "envoy.bootstrap: an Envoy with a plaintext connection to authz does not pass `countersign envoy lint`; set authz.tls.enabled to true" -}}
{{- end -}}
{{- include "countersign.checkSigner" . -}}
{{- include "countersign.checkIssuer" . -}}
{{- include "countersign.checkApiServer" . -}}
{{- end -}}

{{- define "countersign.checkSigner" -}}
{{- if and .Values.signer.enabled (not .Values.envoy.enabled) -}}
{{- fail "signer.enabled: the signer is a sidecar of Envoy, and envoy.enabled is false; add the signer to the pods of your own Envoy" -}}
{{- end -}}
{{- if and .Values.signer.enabled (not .Values.signer.config.authorities) -}}
{{- fail "signer.config.authorities: the signer needs a CA; add one" -}}
{{- end -}}
{{- range .Values.config.routes -}}
{{- if and (hasKey (dig "forward" dict .) "certificate") (not $.Values.signer.enabled) $.Values.envoy.enabled -}}
{{- fail (printf "config.routes: %q forwards a certificate; set signer.enabled to true" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "countersign.checkIssuer" -}}
{{- if hasKey (dig "issuer" dict .Values.config) "login" -}}
{{- if and (eq .Values.state.kind "memory") (gt (int .Values.authz.replicas) 1) -}}
{{- fail "config.issuer.login: with state.kind memory each pod knows its own logins only; set state.kind to redis, or authz.replicas to 1" -}}
{{- end -}}
{{- if not .Values.authz.tls.enabled -}}
{{- fail "config.issuer.login: without TLS, Envoy sends passwords to the issuer in plaintext, and the issuer does not accept the callers’ addresses and certificates from Envoy; set authz.tls.enabled to true" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "countersign.checkApiServer" -}}
{{- range $name, $authenticator := .Values.config.authenticators -}}
{{- if and (dig "tokenReview" "inCluster" false $authenticator) (not $.Values.apiServer.tokenReview) -}}
{{- fail (printf "config.authenticators.%s queries the API server of this cluster; set apiServer.tokenReview to true" $name) -}}
{{- end -}}
{{- end -}}
{{- range .Values.config.routes -}}
{{- if and (dig "apiServer" "inCluster" false .) (not $.Values.apiServer.subjectAccessReview) -}}
{{- fail (printf "config.routes: %q queries the API server of this cluster; set apiServer.subjectAccessReview to true" .name) -}}
{{- end -}}
{{- end -}}
{{- with .Values.apiServer.impersonation -}}
{{- if and .enabled (not (or .users .groups)) -}}
{{- fail "apiServer.impersonation: list the users and groups that may be impersonated" -}}
{{- end -}}
{{- if has "system:masters" .groups -}}
{{- fail "apiServer.impersonation.groups: members of system:masters have every right, independently of RBAC; remove it" -}}
{{- end -}}
{{- end -}}
{{- end -}}
