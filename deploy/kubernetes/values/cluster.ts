// The values of the chart about what is around it: Redis, the API server, the network.

import { z } from 'zod'
import { kubernetesObjects, name, peers } from './common.ts'

const sqliteSchema = z
  .strictObject({
    existingClaim: name
      .or(z.literal(''))
      .default('')
      .describe(
        'A PersistentVolumeClaim that exists. Empty: the chart makes one, which `helm uninstall` leaves.',
      ),
    size: z
      .string()
      .regex(/^[1-9][0-9]*[MGT]i$/)
      .default('2Gi')
      .describe('Its size: the database, at most 1Gi, and its journal. It can grow later.'),
    storageClass: z
      .string()
      .default('')
      .describe(
        'Its StorageClass, of block storage: locks do not work over NFS. Empty: the default. It cannot be changed later.',
      ),
    accessMode: z
      .enum(['ReadWriteOnce', 'ReadWriteOncePod'])
      .default('ReadWriteOnce')
      .describe('ReadWriteOncePod, where the driver has it. It cannot be changed later.'),
    secret: name
      .or(z.literal(''))
      .default('')
      .describe(
        'The Secret with state.keys (`countersign keys grant`), which seals the records. Empty: a file next to the database.',
      ),
  })
  .prefault({})
  .describe('A file on a PersistentVolume. Updates of authz stop the old pod before the new one.')

/** `state`. */
export const stateSchema = z
  .strictObject({
    kind: z
      .enum(['memory', 'sqlite', 'redis'])
      .default('memory')
      .describe(
        'memory: each pod has its own, until it ends. sqlite: a file of the only pod. redis: all pods share it.',
      ),
    sqlite: sqliteSchema,
    redis: z
      .strictObject({
        secret: name
          .default('countersign-redis')
          .describe(
            'The Secret with url (rediss://USER:PASSWORD@HOST:PORT/0) and state.keys (`countersign keys grant`).',
          ),
        ca: z
          .boolean()
          .default(false)
          .describe('Whether it has ca.crt too, the CA of the server’s certificate.'),
        plaintext: z.boolean().default(false).describe('Accept redis:// without TLS.'),
        port: z.int().min(1).max(65_535).default(6379).describe('The port of the server.'),
        to: peers([]).describe('NetworkPolicyPeers: where the server is. Empty: anywhere.'),
      })
      .prefault({})
      .describe('An existing Redis or Valkey server.'),
  })
  .prefault({})
  .describe('Where sessions, lock-outs and used proofs are kept.')

const names = z.array(z.string().min(1)).default([])

/** `apiServer`. */
export const apiServerSchema = z
  .strictObject({
    tokenReview: z
      .boolean()
      .default(false)
      .describe('authz may create TokenReviews; needed for `tokenReview: { inCluster: true }`.'),
    subjectAccessReview: z
      .boolean()
      .default(false)
      .describe(
        'authz may create SubjectAccessReviews; needed for `apiServer: { inCluster: true }` of a route.',
      ),
    impersonation: z
      .strictObject({
        enabled: z
          .boolean()
          .default(false)
          .describe(
            'The service account of authz may impersonate; its token is at /var/run/secrets/kubernetes.io/serviceaccount/token.',
          ),
        users: names.describe('The users that it may impersonate, or "*" for any.'),
        groups: names.describe(
          'The groups that it may impersonate, or "*" for any: a client with the token can then be an administrator.',
        ),
        uids: names.describe('The uids that it may impersonate, or "*" for any.'),
        extra: names.describe(
          'Keys of extra fields that it may set, in lower case, with any value.',
        ),
      })
      .prefault({})
      .describe('For `headers: impersonation`.'),
  })
  .prefault({})
  .describe('Permissions of authz at the API server of this cluster. None: no token, no role.')

/** `networkPolicy`. */
export const networkPolicySchema = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe('Whether traffic of the pods is denied unless it is allowed here.'),
    dns: peers([
      {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
        podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
      },
    ]).describe('Where DNS is; with NodeLocal DNSCache add its address as an ipBlock.'),
    apiServer: z
      .strictObject({
        to: peers([]).describe('NetworkPolicyPeers: where the API server is. Empty: anywhere.'),
        ports: z
          .array(z.int().min(1).max(65_535))
          .default([443, 6443])
          .describe('Its ports, that of the Service `kubernetes` and that of its endpoints.'),
      })
      .prefault({})
      .describe('For pods that call the API server, or forward to it.'),
    callers: peers([]).describe('Clients that may connect to Envoy. Empty: any.'),
    metrics: peers([]).describe(
      'Clients that may read the metrics of authz and of `monitoring.exporter`. Empty: none.',
    ),
    tracing: z
      .strictObject({
        to: peers([]).describe('NetworkPolicyPeers: where the collector is. Empty: anywhere.'),
        ports: z
          .array(z.int().min(1).max(65_535))
          .default([4317, 4318])
          .describe('The ports of its pods, which may differ from those of its Service.'),
      })
      .prefault({})
      .describe('For authz and Envoy, to the collector of `config.tracing`. Without it: none.'),
    authz: z
      .strictObject({
        from: peers([]).describe('Further clients of authz: an Istio gateway, your own Envoy.'),
        egress: kubernetesObjects
          .default([])
          .describe('NetworkPolicyEgressRules: to directories, RADIUS, issuers, OCSP responders.'),
      })
      .prefault({})
      .describe('Of authz.'),
    envoy: z
      .strictObject({
        toApiServer: z.boolean().default(false).describe('Whether the API server is an upstream.'),
        egress: kubernetesObjects.default([]).describe('NetworkPolicyEgressRules: to upstreams.'),
      })
      .prefault({})
      .describe('Of Envoy.'),
  })
  .prefault({})
  .describe('Which connections the pods accept and open.')
