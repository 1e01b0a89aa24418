// Rules that ask an API server, which is scripted by the API's own definitions, over real HTTPS.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { AuthorizerVerdict } from '../../../src/authorize/authorizer.ts'
import { createAuthority, type Authority } from '../../servers/pki.ts'
import {
  startTokenServer,
  type Answer,
  type TokenServerHandle,
} from '../../servers/token-server.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { questionOf, type QuestionParts } from '../../fakes/question.ts'
import { buildRulesFrom, type BuiltRules } from '../../authenticate/building.ts'

const FOREVER = new AbortController().signal

/** An answer, with or without the specification of its request. */
export const review = (status: unknown, spec: unknown = {}): string =>
  JSON.stringify({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec,
    status,
  })

/** That the request would be allowed. */
export const YES: Answer = { status: 201, body: review({ allowed: true }) }
/** That it would not. */
export const NO: Answer = { status: 201, body: review({ allowed: false }) }

/** Rules that ask about everything, and permit what the server does. */
export const BY_REVIEW = [{ allow: 'by-rbac', subjectAccessReview: true }]

interface Site extends AsyncDisposable {
  readonly scripted: TokenServerHandle
  readonly authority: Authority
  readonly built: BuiltRules
  readonly clock: FakeClock
  /** How the rules decide: the rule, or why there is none. */
  readonly decide: (parts?: QuestionParts, signal?: AbortSignal) => Promise<string>
}

/**
 * Starts a server that says yes, and builds rules that ask it.
 *
 * @param settings of `apiServer`
 * @param keys of the route
 */
export const start = async (
  settings: Readonly<Record<string, unknown>> = {},
  keys: Readonly<Record<string, unknown>> = {},
): Promise<Site> => {
  await using stack = new AsyncDisposableStack()
  const authority = stack.use(await createAuthority('Countersign API server test CA'))
  const identity = await authority.issue({
    commonName: 'api',
    names: ['127.0.0.1'],
    usage: 'server',
  })
  const scripted = stack.use(await startTokenServer(identity, () => YES))
  await writeFile(`${authority.folder}/own.token`, 'own-token-1\n')
  const clock = new FakeClock()
  const apiServer = {
    server: scripted.origin,
    ca: authority.ca,
    token: `file:${authority.folder}/own.token`,
    ...settings,
  }
  const route = { kind: 'kubernetes', authorize: BY_REVIEW, apiServer, ...keys }
  const built = stack.use(
    await buildRulesFrom(`${authority.folder}/countersign.yaml`, route, clock),
  )
  assert.deepEqual(built.problems, [])
  const { authorizer } = built
  assert.ok(authorizer !== undefined)
  const kind = route.kind === 'http' ? 'http' : 'kubernetes'
  const owned = stack.move()
  return {
    scripted,
    authority,
    built,
    clock,
    decide: async (parts = {}, signal = FOREVER) =>
      describeVerdict(
        await authorizer.authorize(questionOf({ published: { kind }, ...parts }), signal),
      ),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The rule that decided, or why none did. */
export const describeVerdict = (verdict: AuthorizerVerdict): string => {
  if (verdict.outcome === 'permit') return `permit ${verdict.permit.rule}`
  if (verdict.outcome === 'denied') return `denied ${verdict.rule.name}`
  if (verdict.outcome !== 'unavailable') return verdict.outcome
  return `unavailable: ${verdict.cause instanceof Error ? verdict.cause.message : 'no error'}`
}

/** A `get` of a pod in the namespace `a`. */
export const pod = (name: string): QuestionParts => ({
  request: { path: `/api/v1/namespaces/a/pods/${name}` },
})
