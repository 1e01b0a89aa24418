// What `countersign keys signing --help` explains beyond its options.

/** How keys are rotated, and by what. */
export const ROTATION = `
Rotation, without a request being refused:
  countersign keys signing rotate DIR
makes the next key, which upstreams can read at once and which signs an hour later (--overlap): every
replica changes over by its own clock. The key before it is published until its last token has ended, a
day and five minutes later. Run it as often as you like, by cron: while a next key waits, no other is
made, and what is needed no more is removed. The overlap has to be longer than everything on the way
takes: the folder to the replicas, and the key set to upstreams (issuer.maxAge). Clocks may be five
minutes apart. authz notices a changed folder by itself.

All replicas of authz have the same folder. In Kubernetes, either
  - in a Secret, mounted with defaultMode 0400, or 0440 with fsGroup. A CronJob (concurrencyPolicy:
    Forbid) whose service account may get and update this one Secret copies it, and writes it back:
      umask 077; mkdir /tmp/keys; cp -L /secret/* /tmp/keys/
      countersign keys signing rotate /tmp/keys
      kubectl create secret generic NAME --from-file=/tmp/keys --dry-run=client -o yaml | kubectl replace -f -
    The kubelet takes about two minutes to hand it on;
  - or on a volume that the CronJob mounts to write and authz mounts to read (ReadWriteMany), without an
    fsGroup, which would make the keys writable for the group: then
      countersign keys signing rotate /keys
`

/** What to do when a key is in wrong hands. */
export const THEFT = `
When a private key may have been stolen:
  countersign keys signing revoke DIR KID
From then on authz publishes it no more, and signs with another. Give the folder to every replica at
once. Upstreams believe the stolen key until they read the key set again: within issuer.maxAge, or, as
kube-apiserver does, as soon as they meet a token of a key that they do not know. Until they know the
new one they may refuse its tokens. Whoever could read one key of the folder could read all: revoke
them all, the next one before the one that signs.
`
