// A token endpoint that is scripted, a transformer that calls it over HTTPS, and the outcome.

import assert from 'node:assert/strict'
import { CredentialCache } from '../../../src/authenticate/credential-cache.ts'
import { secretInHeader } from '../../../src/clients/token-endpoint/client-authentication.ts'
import { fixedEndpoint } from '../../../src/clients/token-endpoint/endpoint.ts'
import { evaluate, type Permit } from '../../../src/authorize/evaluate.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { describeError } from '../../../src/runtime/errors.ts'
import type { SharedServerLimits } from '../../../src/runtime/shared-server.ts'
import { exchangedToken, type ExchangeOptions } from '../../../src/transform/token/exchange.ts'
import { TokenCache } from '../../../src/transform/token/token-cache.ts'
import type { TokenSource } from '../../../src/transform/token/token-request.ts'
import type { Transformation, Transformer } from '../../../src/transform/transformer.ts'
import { askingBy, type Asking } from '../../authenticate/introspection/introspecting.ts'
import type { HeaderLines } from '../../fakes/envoy.ts'
import { identityOf } from '../../fakes/identity.ts'
import { questionOf } from '../../fakes/question.ts'
import { policyOf } from '../../fakes/rules.ts'
import { createAuthority } from '../../servers/pki.ts'
import {
  startTokenServer,
  type Answer,
  type TokenServerHandle,
} from '../../servers/token-server.ts'

const FOREVER = new AbortController().signal

/** Who a token proved, unless the test says otherwise. */
export const byToken = (parts: Partial<Identity> = {}): Identity =>
  identityOf({ method: 'bearer', ...parts })

/** The permit of this very identity. */
export const permitOf = (identity: Identity, headers: HeaderLines = []): Permit => {
  const verdict = evaluate(policyOf([{ allow: 'all' }]), {
    ...questionOf({ request: { headers } }),
    identity,
  })
  assert.equal(verdict.outcome, 'permit')
  return verdict.permit
}

/** The header that is set, `CODE: DETAIL` of a refusal, or `unavailable: WHY`. */
export const wordOf = (transformation: Transformation): string => {
  switch (transformation.outcome) {
    case 'transformed': {
      const [[name, value] = [], ...more] = transformation.forwarding.setHeaders
      assert.deepEqual([more, transformation.forwarding.repeatedHeaders], [[], []])
      assert.equal(name, 'authorization')
      return value ?? ''
    }
    case 'failed': {
      const { code, detail } = transformation
      return detail === undefined ? code : `${code}: ${detail}`
    }
    case 'unavailable':
      return `unavailable: ${describeError(transformation.cause)}`
  }
}

/** A scripted endpoint, and what asks it. */
export interface AskingForTokens extends Asking, AsyncDisposable {
  readonly scripted: TokenServerHandle
  readonly source: TokenSource
  readonly cache: TokenCache
  readonly keys: CredentialCache
}

/** Starts an endpoint; it gives out `token-1`, `token-2` … for a minute each. */
export const startAskingForTokens = async (
  limits: Partial<SharedServerLimits> = {},
): Promise<AskingForTokens> => {
  await using stack = new AsyncDisposableStack()
  const authority = stack.use(await createAuthority('Countersign token test CA'))
  const names = ['127.0.0.1']
  const identity = await authority.issue({ commonName: 'login', names, usage: 'server' })
  const scripted = stack.use(await startTokenServer(identity, numbered()))
  const asking = await askingBy(stack, authority, limits)
  const source = {
    name: 'the token endpoint',
    endpoint: fixedEndpoint(`${scripted.origin}/token`),
    client: secretInHeader('countersign', 'client-secret'),
    server: asking.server,
  }
  const owned = stack.move()
  return {
    ...asking,
    scripted,
    source,
    cache: new TokenCache(),
    keys: new CredentialCache(asking.clock),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What {@link startAskingForTokens} answers, with these members changed. */
export const numbered = (changes: object = {}): (() => Answer) => {
  let count = 0
  return () => {
    count += 1
    return {
      body: { access_token: `token-${count}`, token_type: 'Bearer', expires_in: 60, ...changes },
    }
  }
}

/** What of an exchange tests choose. */
export type ExchangeParts = Partial<Omit<ExchangeOptions, 'terms'>> & {
  readonly terms?: Partial<ExchangeOptions['terms']>
}

/** The least that an exchange asks for. */
export const TERMS: ExchangeOptions['terms'] = {
  flow: 'token-exchange',
  subjectTokenType: 'urn:ietf:params:oauth:token-type:access_token',
  requestedTokenType: undefined,
  audience: [],
  resource: [],
  scopes: [],
  cacheTtl: 300_000,
}

/** A route that exchanges tokens at such an endpoint. */
export class Exchanging implements AsyncDisposable {
  readonly site: AskingForTokens
  readonly transformer: Transformer
  /** Whose token it is where the test does not say: the same each time, as after a remembered proof. */
  readonly alice = byToken()

  constructor(site: AskingForTokens, { terms = {}, ...parts }: ExchangeParts = {}) {
    const { source, cache, keys, clock } = site
    this.site = site
    this.transformer = exchangedToken({
      actor: undefined,
      source,
      generation: 'g',
      keys,
      cache,
      clock,
      terms: { ...TERMS, ...terms },
      ...parts,
    })
  }

  /** Starts an endpoint of its own. */
  static async start(
    parts: ExchangeParts = {},
    limits: Partial<SharedServerLimits> = {},
  ): Promise<Exchanging> {
    return new Exchanging(await startAskingForTokens(limits), parts)
  }

  /** The outcome of a request with these headers. */
  async give(
    headers: HeaderLines,
    identity: Identity = this.alice,
    signal: AbortSignal = FOREVER,
  ): Promise<Transformation> {
    return await this.transformer.transform(permitOf(identity, headers), signal)
  }

  /** The outcome of a request that shows a token; see {@link wordOf}. */
  async show(
    token: string,
    identity: Identity = this.alice,
    signal: AbortSignal = FOREVER,
  ): Promise<string> {
    return wordOf(await this.give([['authorization', `Bearer ${token}`]], identity, signal))
  }

  /** How many requests the endpoint got. */
  get requests(): number {
    return this.site.scripted.requests.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]()
  }
}
