{{- /* What cannot work, or would be less safe than it looks, is said before anything is installed. */ -}}
{{- define "countersign.checkConfig" -}}
{{- range tuple "listen" "state" "certificateGrants" -}}
{{- if hasKey $.Values.config . -}}
{{- fail (printf "config.%s: the chart writes it, so that it fits the other objects; see authz, state and grants of the values" .) -}}
{{- end -}}
{{- end -}}
{{- range tuple "version" "listen" "keyring" -}}
{{- if hasKey $.Values.signer.config . -}}
{{- fail (printf "signer.config.%s: the chart writes it" .) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.envoy.bootstrap (not .Values.authz.tls.enabled) -}}
{{- fail "envoy.bootstrap: `countersign envoy lint` lets no Envoy start that asks authz in the clear; set authz.tls.enabled" -}}
{{- end -}}
{{- include "countersign.checkSigner" . -}}
{{- include "countersign.checkIssuer" . -}}
{{- include "countersign.checkApiServer" . -}}
{{- end -}}

{{- define "countersign.checkSigner" -}}
{{- if and .Values.signer.enabled (not .Values.envoy.enabled) -}}
{{- fail "signer.enabled: the signer is a sidecar of Envoy, and envoy.enabled is false; add it to the pods of your own Envoy" -}}
{{- end -}}
{{- if and .Values.signer.enabled (not .Values.signer.config.authorities) -}}
{{- fail "signer.config.authorities: the signer needs a CA" -}}
{{- end -}}
{{- range .Values.config.routes -}}
{{- if and (hasKey (dig "forward" dict .) "certificate") (not $.Values.signer.enabled) $.Values.envoy.enabled -}}
{{- fail (printf "config.routes: %q forwards a certificate; set signer.enabled" .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "countersign.checkIssuer" -}}
{{- if hasKey (dig "issuer" dict .Values.config) "login" -}}
{{- if and (eq .Values.state.kind "memory") (gt (int .Values.authz.replicas) 1) -}}
{{- fail "config.issuer.login: who has logged in at one pod is not known to the others; set state.kind to redis" -}}
{{- end -}}
{{- if not .Values.authz.tls.enabled -}}
{{- fail "config.issuer.login: passwords would go from Envoy to the login page in the clear, and the login page would not believe what Envoy says of callers; set authz.tls.enabled to true" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "countersign.checkApiServer" -}}
{{- range $name, $authenticator := .Values.config.authenticators -}}
{{- if and (dig "tokenReview" "inCluster" false $authenticator) (not $.Values.apiServer.tokenReview) -}}
{{- fail (printf "config.authenticators.%s asks the API server of this cluster; set apiServer.tokenReview to true" $name) -}}
{{- end -}}
{{- end -}}
{{- range .Values.config.routes -}}
{{- if and (dig "apiServer" "inCluster" false .) (not $.Values.apiServer.subjectAccessReview) -}}
{{- fail (printf "config.routes: %q asks the API server of this cluster; set apiServer.subjectAccessReview to true" .name) -}}
{{- end -}}
{{- end -}}
{{- with .Values.apiServer.impersonation -}}
{{- if and .enabled (not (or .users .groups)) -}}
{{- fail "apiServer.impersonation: say whom, by users and groups" -}}
{{- end -}}
{{- if has "system:masters" .groups -}}
{{- fail "apiServer.impersonation.groups: system:masters may do everything, whatever RBAC says" -}}
{{- end -}}
{{- end -}}
{{- end -}}
