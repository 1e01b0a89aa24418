// Whether the API server saw what was decided.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EventFields } from '../../fakes/audit-lines.ts'
import {
  apiLine,
  certificateApiLine,
  certificateDecision,
  IDS,
  issuedLine,
  logOf,
  tracedDecision,
} from '../../fakes/traced-lines.ts'
import { traceIn } from './tracing.ts'

const differencesOf = async (
  decision: EventFields,
  ...seen: readonly EventFields[]
): Promise<readonly string[]> => {
  const logs = { audit: logOf(decision), issued: logOf(issuedLine()), kube: logOf(...seen) }
  const { reports } = await traceIn(logs, IDS.decision)
  return (reports[0]?.differences ?? []).map(
    ({ what, ours, theirs }) => `${what}: ${ours} / ${theirs}`,
  )
}

const user = (fields: EventFields = {}) => ({
  username: 'bob',
  groups: ['dev', 'ops', 'system:authenticated'],
  extra: { 'authentication.kubernetes.io/credential-id': [`JTI=${IDS.jti}`] },
  ...fields,
})

const ACCOUNT = user({
  username: 'system:serviceaccount:kube-system:countersign',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
})

const impersonating = tracedDecision({
  kubernetes: {
    verb: 'list',
    resource: 'pods',
    namespace: 'default',
    impersonation: { user: 'root', groups: ['wheel'] },
  },
})

describe('the API server and the decision', () => {
  const CASES: readonly {
    name: string
    decision?: EventFields
    seen: readonly EventFields[]
    want: readonly string[]
  }[] = [
    { name: 'agree in every field', seen: [apiLine()], want: [] },
    {
      name: 'agree at each stage of one request',
      seen: [apiLine({ stage: 'RequestReceived', responseStatus: undefined }), apiLine()],
      want: [],
    },
    {
      name: 'differ in the user',
      seen: [apiLine({ user: user({ username: 'oidc:bob' }) })],
      want: ['user: bob / oidc:bob'],
    },
    {
      name: 'differ in a group too many',
      seen: [apiLine({ user: user({ groups: ['dev', 'ops', 'system:masters'] }) })],
      want: ['groups: ["dev","ops"] / ["dev","ops","system:masters"]'],
    },
    {
      name: 'differ in a group that is two',
      decision: tracedDecision({ groups: ['dev,ops'] }),
      seen: [apiLine()],
      want: ['groups: ["dev,ops"] / ["dev","ops"]'],
    },
    {
      name: 'differ in the verb and the resource',
      seen: [apiLine({ verb: 'delete', objectRef: { resource: 'secrets', namespace: 'default' } })],
      want: ['verb: list / delete', 'resource: pods/default / secrets/default'],
    },
    {
      name: 'differ in the path',
      seen: [apiLine({ requestURI: '/api/v1/namespaces/kube-system/pods' })],
      want: ['path: /api/v1/namespaces/default/pods / /api/v1/namespaces/kube-system/pods'],
    },
    {
      name: 'agree where it adds the name that only the body says',
      decision: tracedDecision({
        kubernetes: { verb: 'create', resource: 'pods', namespace: 'default' },
      }),
      seen: [
        apiLine({
          verb: 'create',
          objectRef: { resource: 'pods', namespace: 'default', name: 'web-1' },
        }),
      ],
      want: [],
    },
    {
      name: 'differ in the token',
      seen: [apiLine({}, 'JTI=another')],
      want: [`credential: JTI=${IDS.jti} / JTI=another`],
    },
    {
      name: 'differ where a certificate came in place of the token',
      seen: [apiLine({}, `X509SHA256=${IDS.jti}`)],
      want: [`credential: JTI=${IDS.jti} / X509SHA256=${IDS.jti}`],
    },
    {
      name: 'agree on a certificate',
      decision: certificateDecision(),
      seen: [certificateApiLine()],
      want: [],
    },
    {
      name: 'differ in the certificate',
      decision: certificateDecision(),
      seen: [apiLine({}, 'X509SHA256=00')],
      want: [`credential: X509SHA256=${IDS.fingerprint} / X509SHA256=00`],
    },
    {
      name: 'differ where a token came in place of the certificate',
      decision: certificateDecision(),
      seen: [apiLine({}, `JTI=${IDS.fingerprint}`)],
      want: [`credential: X509SHA256=${IDS.fingerprint} / JTI=${IDS.fingerprint}`],
    },
    {
      name: 'differ where the request was refused',
      decision: tracedDecision({ decision: 'deny', reason: 'no-rule', forwarded: undefined }),
      seen: [apiLine()],
      want: ['decision: refused: no-rule / 1 request'],
    },
    {
      name: 'differ where it has two requests under one id',
      seen: [apiLine(), apiLine({ requestReceivedTimestamp: '2026-11-26T10:00:03.000000Z' })],
      want: ['requests: 1 request / 2 requests'],
    },
    {
      name: 'agree where our account acts for the caller',
      decision: tracedDecision({ forwarded: ['headers', 'service-token'] }),
      seen: [apiLine({ user: ACCOUNT, impersonatedUser: user({ extra: {} }) })],
      want: [],
    },
    {
      name: 'differ where our account acts for itself',
      decision: tracedDecision({ forwarded: ['headers', 'service-token'], groups: [] }),
      seen: [apiLine({ user: ACCOUNT })],
      want: ['user: bob / system:serviceaccount:kube-system:countersign'],
    },
    {
      name: 'agree where the caller impersonates a user',
      decision: impersonating,
      seen: [apiLine({ impersonatedUser: { username: 'root', groups: ['wheel'] } })],
      want: [],
    },
    {
      name: 'differ where the caller impersonated no user after all',
      decision: impersonating,
      seen: [apiLine()],
      want: ['impersonated-user: root / ', 'impersonated-groups: ["wheel"] / []'],
    },
  ]
  for (const { name, decision = tracedDecision(), seen, want } of CASES) {
    it(name, async () => assert.deepEqual(await differencesOf(decision, ...seen), want))
  }
})
