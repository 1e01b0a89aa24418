// What `countersign keys signing --help` explains beyond its options.

/** How keys are rotated, and by what. */
export const ROTATION = `
Rotation without refused requests:
  countersign keys signing rotate DIR
makes the next key. It is published at once and signs an hour later (--overlap), in every replica by its
own clock. The previous key is published until its last token has expired, a day and five minutes later.
Run it as often as needed, by cron: while a next key waits, no further key is made, and keys that are no
longer needed are removed. The overlap must be longer than the distribution of the folder to the replicas
and of the key set to upstreams (issuer.maxAge). Clocks may differ by five minutes. authz reloads a
changed folder.

All replicas of authz use the same folder. In Kubernetes, either
  - in a Secret, mounted with defaultMode 0400, or 0440 with fsGroup. A CronJob (concurrencyPolicy:
    Forbid) whose service account may get and update this one Secret copies it, and writes it back:
      umask 077; mkdir /tmp/keys; cp -L /secret/* /tmp/keys/
      countersign keys signing rotate /tmp/keys
      kubectl create secret generic NAME --from-file=/tmp/keys --dry-run=client -o yaml | kubectl replace -f -
    The kubelet takes about two minutes to update the mounted files;
  - or on a volume that the CronJob mounts to write and authz mounts to read (ReadWriteMany), without an
    fsGroup, which would make the keys writable for the group: then
      countersign keys signing rotate /keys
`

/** What to do when a key is in wrong hands. */
export const THEFT = `
When a private key may have been stolen:
  countersign keys signing revoke DIR KID
authz then no longer publishes the key, and signs with another. Distribute the folder to every replica at
once. Upstreams accept the stolen key until they reload the key set: within issuer.maxAge or, like
kube-apiserver, when they receive a token of an unknown key. Until then they may refuse tokens of the new
key. An attacker who could read one key of the folder could read all: revoke all of them, the next key
before the key that signs.
`
