// Lines of every log about one request: Bob lists pods with a token of Countersign's issuer, or with a
// certificate.

import { decisionLine, type EventFields } from './audit-lines.ts'

/** The ids of the request, as its lines have them. */
export const IDS = {
  decision: '0b2c6b1e-0000-4000-8000-000000000001',
  request: '570a07aa-0000-4000-8000-000000000002',
  jti: 'c0ffee00-0000-4000-8000-000000000003',
  handle: 'h7hkq2ZPz5xw',
  fingerprint: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  serial: '4b1d0c5e2a7f9b3c6d8e1f2a3b4c5d6e7f8091a2',
} as const

const KUBERNETES = {
  verb: 'list',
  apiVersion: 'v1',
  namespace: 'default',
  resource: 'pods',
}

/** The decision, by token unless the test says otherwise. */
export const tracedDecision = (fields: EventFields = {}): EventFields =>
  decisionLine({
    id: IDS.decision,
    request: IDS.request,
    time: '2026-11-26T10:00:00.100Z',
    route: 'kubernetes',
    path: '/api/v1/namespaces/default/pods?limit=[withheld]',
    user: 'bob',
    groups: ['dev', 'ops'],
    rule: 'rbac-decides',
    kubernetes: KUBERNETES,
    forwarded: ['minted-token'],
    jti: [IDS.jti],
    ...fields,
  })

/** The same by certificate. */
export const certificateDecision = (fields: EventFields = {}): EventFields =>
  tracedDecision({ forwarded: ['certificate'], jti: undefined, handle: IDS.handle, ...fields })

/** What the signer issued for it. */
export const issuedLine = (fields: EventFields = {}): EventFields => ({
  log: 'audit',
  time: '2026-11-26T10:00:00.120Z',
  event: 'certificate-issued',
  handle: IDS.handle,
  authority: 'kube',
  route: 'kubernetes',
  authenticator: 'staff',
  serial: IDS.serial,
  fingerprint: IDS.fingerprint,
  subject: 'O=dev+O=ops,CN=bob',
  names: [],
  notBefore: '2026-11-26T09:55:00Z',
  notAfter: '2026-11-26T10:55:00Z',
  keys: 'ecdsa-p256',
  duration: 4_000,
  generation: 1,
  ...fields,
})

/** What the API server saw of it. */
export const apiLine = (
  fields: EventFields = {},
  credential: string | undefined = `JTI=${IDS.jti}`,
): EventFields => ({
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'Metadata',
  auditID: IDS.decision,
  stage: 'ResponseComplete',
  requestURI: '/api/v1/namespaces/default/pods?limit=500',
  verb: 'list',
  user: {
    username: 'bob',
    groups: ['ops', 'dev', 'system:authenticated'],
    extra:
      credential === undefined
        ? {}
        : { 'authentication.kubernetes.io/credential-id': [credential] },
  },
  sourceIPs: ['10.0.0.9'],
  userAgent: 'kubectl/v1.37.2',
  objectRef: { resource: 'pods', namespace: 'default', apiVersion: 'v1' },
  responseStatus: { metadata: {}, code: 200 },
  requestReceivedTimestamp: '2026-11-26T10:00:00.130456Z',
  stageTimestamp: '2026-11-26T10:00:00.135123Z',
  annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
  ...fields,
})

/** The same by certificate. */
export const certificateApiLine = (fields: EventFields = {}): EventFields =>
  apiLine(fields, `X509SHA256=${IDS.fingerprint}`)

/** JSON lines. Texts are lines as they are. */
export const logOf = (...lines: readonly (EventFields | string)[]): string =>
  lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')
