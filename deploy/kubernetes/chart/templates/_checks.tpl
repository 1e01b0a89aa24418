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
{{- include "countersign.checkPods" . -}}
{{- include "countersign.checkWorkers" . -}}
{{- include "countersign.checkSigner" . -}}
{{- include "countersign.checkIssuer" . -}}
{{- include "countersign.checkApiServer" . -}}
{{- include "countersign.checkMonitors" . -}}
{{- end -}}

{{- define "countersign.checkMonitors" -}}
{{- with .Values.monitoring -}}
{{- if and .podMonitor.enabled .serviceMonitor.enabled -}}
{{- fail "monitoring.serviceMonitor: podMonitor reads the same metrics; set one of them to false" -}}
{{- end -}}
{{- end -}}
{{- range tuple "podMonitor" "serviceMonitor" -}}
{{- if and (get $.Values.monitoring .).enabled $.Values.networkPolicy.enabled (not $.Values.networkPolicy.metrics) -}}
{{- fail (printf "monitoring.%s: no client may read the metrics of authz; list Prometheus in networkPolicy.metrics" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "countersign.checkPods" -}}
{{- range $part := tuple "authz" "envoy" -}}
{{- with get $.Values $part -}}
{{- $smallest := add .drainSeconds 1 -}}
{{- if and .terminationGracePeriodSeconds (lt (int .terminationGracePeriodSeconds) (int $smallest)) -}}
{{- fail (printf "%s.terminationGracePeriodSeconds: the pod would end before %s.drainSeconds is over; set it to more than %v" $part $part .drainSeconds) -}}
{{- end -}}
{{- if not (or .serviceAccount.create .serviceAccount.name) -}}
{{- fail (printf "%s.serviceAccount.name: without `create` it must name a ServiceAccount that exists" $part) -}}
{{- end -}}
{{- with .autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "%s.autoscaling: minReplicas is greater than maxReplicas; set maxReplicas to %v or more" $part .minReplicas) -}}
{{- end -}}
{{- if and .enabled (not .cpuPercent) (not .metrics) -}}
{{- fail (printf "%s.autoscaling: nothing is measured; set cpuPercent, or list metrics" $part) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if eq .Values.state.kind "sqlite" -}}
{{- if .Values.authz.autoscaling.enabled -}}
{{- fail "authz.autoscaling: with state.kind sqlite there is one pod, which has the file; set state.kind to redis" -}}
{{- end -}}
{{- if gt (int .Values.authz.replicas) 1 -}}
{{- fail "state.kind: with sqlite there is one pod, which has the file; set authz.replicas to 1, or state.kind to redis" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "countersign.checkWorkers" -}}
{{- with .Values.authz -}}
{{- $written := get $.Values.config "workers" -}}
{{- if and $written (ne (toString $written) (toString .workers)) -}}
{{- fail (printf "config.workers: it is %v, and authz.workers, by which the chart opens ports, is %v; remove it, and set authz.workers" $written .workers) -}}
{{- end -}}
{{- if gt (int .workers) 1 -}}
{{- $ports := list (dict "name" "port" "first" (int .port) "count" (int .workers)) (dict "name" "adminPort" "first" (int .adminPort) "count" 1) -}}
{{- if $.Values.config.issuer -}}
{{- $ports = append $ports (dict "name" "issuerPort" "first" (int .issuerPort) "count" (int .workers)) -}}
{{- end -}}
{{- range $one := $ports -}}
{{- $last := sub (add $one.first $one.count) 1 -}}
{{- if gt $last 65535 -}}
{{- fail (printf "authz.%s: there is no port %v for the last of authz.workers; set it to %v or less" $one.name $last (sub 65536 $one.count)) -}}
{{- end -}}
{{- range $other := $ports -}}
{{- if and (ne $one.name $other.name) (ge $other.first $one.first) (le $other.first $last) -}}
{{- fail (printf "authz.%s: %v is a port of the workers, which have %v to %v (authz.%s); set it to another" $other.name $other.first $one.first $last $one.name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with and (eq $.Values.state.kind "memory") (include "countersign.countedInMemory" $ | trim) -}}
{{- fail (printf "authz.workers: with state.kind memory each worker would have its own %s; set state.kind to redis, or to sqlite with one pod" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* What a worker would count or remember alone with `state: memory`; empty where there is nothing (src/configuration/workers.ts). */ -}}
{{- define "countersign.countedInMemory" -}}
{{- $issuer := .Values.config.issuer | default dict -}}
{{- if or (hasKey $issuer "login") $issuer.clients -}}
logins, codes and sessions (config.issuer)
{{- else -}}
{{- $counted := list -}}
{{- range $name, $authenticator := .Values.config.authenticators -}}
{{- if and (hasKey $authenticator "basic") (ne (toString (dig "basic" "bruteForceProtection" true $authenticator)) "false") -}}
{{- $counted = append $counted (printf "failed passwords and lock-outs (config.authenticators.%s)" $name) -}}
{{- else if hasKey (dig "bearer" dict $authenticator) "dpop" -}}
{{- $counted = append $counted (printf "used DPoP proofs (config.authenticators.%s)" $name) -}}
{{- end -}}
{{- end -}}
{{- join " and " $counted -}}
{{- end -}}
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
{{- if and (eq .Values.state.kind "memory") (gt (include "countersign.mostReplicas" (list . "authz") | int) 1) -}}
{{- fail (printf "config.issuer.login: with state.kind memory each pod knows its own logins only; set state.kind to redis, or %s to 1" (ternary "authz.autoscaling.maxReplicas" "authz.replicas" .Values.authz.autoscaling.enabled)) -}}
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
