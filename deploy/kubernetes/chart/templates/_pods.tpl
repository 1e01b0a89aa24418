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
  {{- range tuple "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "countersign.selectorLabels" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
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
