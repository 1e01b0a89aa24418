{{- /* Pod Security "restricted" and more, for every container. */ -}}
{{- define "countersign.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- with . }}
runAsUser: {{ . }}
runAsGroup: {{ . }}
{{- end }}
capabilities: { drop: [ALL] }
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- /* fsGroup: only its members can access files of Secrets and the sockets in a shared folder. */ -}}
{{- define "countersign.podSecurity" -}}
runAsNonRoot: true
{{- with . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
{{- end }}
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- /* Scheduling of the pods of one part: (list $ "authz"). */ -}}
{{- define "countersign.placement" -}}
{{- $values := get (first .).Values (last .) -}}
topologySpreadConstraints:
  {{- range $values.topologySpreadConstraints }}
  {{- $selector := hasKey . "labelSelector" | ternary dict (include "countersign.thesePods" $ | fromYaml) }}
  - {{- merge $selector . | toYaml | nindent 4 }}
  {{- else }}
  {{- range tuple "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    {{- include "countersign.thesePods" $ | nindent 4 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
  {{- end }}
{{- with $values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{- define "countersign.thesePods" -}}
labelSelector:
  matchLabels: {{- include "countersign.selectorLabels" . | nindent 4 }}
{{- end -}}

{{- /* How many pods one part has: (list $ "authz"). With an autoscaler, as many as there are: to remove the number that
an earlier release set would make Kubernetes set 1. */ -}}
{{- define "countersign.replicas" -}}
{{- $root := first . -}}
{{- $values := get $root.Values (last .) -}}
{{- if not $values.autoscaling.enabled -}}
replicas: {{ $values.replicas }}
{{- else -}}
{{- $name := printf "%s-%s" (include "countersign.fullname" $root) (last .) -}}
{{- with lookup "apps/v1" "Deployment" $root.Release.Namespace $name -}}
replicas: {{ .spec.replicas }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The least number of pods that one part has: (list $ "authz"). */ -}}
{{- define "countersign.leastReplicas" -}}
{{- with get (first .).Values (last .) -}}
{{- ternary .autoscaling.minReplicas .replicas .autoscaling.enabled -}}
{{- end -}}
{{- end -}}

{{- /* The greatest. */ -}}
{{- define "countersign.mostReplicas" -}}
{{- with get (first .).Values (last .) -}}
{{- ternary .autoscaling.maxReplicas .replicas .autoscaling.enabled -}}
{{- end -}}
{{- end -}}

{{- /* The time between SIGTERM and SIGKILL: (list $values 20), by default the time to drain and so many seconds. */ -}}
{{- define "countersign.gracePeriod" -}}
{{- with first . -}}
{{- .terminationGracePeriodSeconds | default (add .drainSeconds (last $)) -}}
{{- end -}}
{{- end -}}

{{- /* envFrom of a container, of its values. */ -}}
{{- define "countersign.envFrom" -}}
{{- with .extraEnvFrom }}
envFrom: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Volumes of Secrets and ConfigMaps: (dict "secrets" … "configMaps" …), each once. */ -}}
{{- define "countersign.volumes" -}}
{{- range .secrets | uniq | sortAlpha }}
- name: {{ include "countersign.volumeName" (list "secret" .) }}
  secret: { secretName: {{ . }}, defaultMode: 288 } # 0440
{{- end }}
{{- range .configMaps | uniq | sortAlpha }}
- name: {{ include "countersign.volumeName" (list "configmap" .) }}
  configMap: { name: {{ . }}, defaultMode: 292 } # 0444
{{- end }}
{{- end -}}

{{- define "countersign.mounts" -}}
{{- range .secrets | uniq | sortAlpha }}
- name: {{ include "countersign.volumeName" (list "secret" .) }}
  mountPath: /etc/countersign/secrets/{{ . }}
  readOnly: true
{{- end }}
{{- range .configMaps | uniq | sortAlpha }}
- name: {{ include "countersign.volumeName" (list "configmap" .) }}
  mountPath: /etc/countersign/configmaps/{{ . }}
  readOnly: true
{{- end }}
{{- end -}}

{{- /* Names of objects may have dots and 253 characters; names of volumes may not. */ -}}
{{- define "countersign.volumeName" -}}
{{ first . }}-{{ last . | replace "." "-" | trunc 40 | trimSuffix "-" }}-{{ last . | sha256sum | trunc 6 }}
{{- end -}}
