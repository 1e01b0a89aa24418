// Makes tokens of a configuration, and reads them with another library than signs them.

import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { evaluate } from '../../../src/authorize/evaluate.ts'
import { mintSchema, type MintConfig } from '../../../src/keys/mint-schema.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import type { SigningKeySet } from '../../../src/keys/signing-key-set.ts'
import { mintedToken, type MintOptions } from '../../../src/transform/token/mint.ts'
import { Minter } from '../../../src/transform/token/minter.ts'
import { TokenCache } from '../../../src/transform/token/token-cache.ts'
import type { Transformation, Transformer } from '../../../src/transform/transformer.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { identityOf } from '../../fakes/identity.ts'
import { questionOf } from '../../fakes/question.ts'
import { policyOf } from '../../fakes/rules.ts'
import { madeKey, signingKeysOf } from '../../fakes/signing-keys.ts'

const FOREVER = new AbortController().signal

/** Who signs. */
export const ISSUER = 'https://id.example.org'

/** Keys of every algorithm, made once. */
export const KEYS = await Promise.all([madeKey('ES256'), madeKey('RS256'), madeKey('EdDSA')])

/** The parsed configuration. */
const mintConfig = (parts: Readonly<Record<string, unknown>> = {}): MintConfig =>
  mintSchema.parse({ audience: 'kubernetes', ...parts })

/** What a token says. */
export interface ReadToken {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** A token's parts, once its signature is verified by the keys that are published. */
export const readSigned = (token: string, keys: Pick<SigningKeySet, 'published'>): ReadToken => {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const { alg, kid, ...rest } = JSON.parse(Buffer.from(header, 'base64url').toString())
  const jwk = keys.published().find((key) => key.kid === kid)
  assert.ok(jwk !== undefined, 'signed by no published key')
  assert.equal(jwk.alg, alg)
  const { kid: _kid, alg: _alg, use: _use, ...members } = jwk
  const key = createPublicKey({ key: members, format: 'jwk' })
  const good = verify(
    alg === 'EdDSA' ? null : 'sha256',
    Buffer.from(`${header}.${payload}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  )
  assert.ok(good, 'the signature is of other bytes')
  return {
    header: { alg, kid, ...rest },
    claims: JSON.parse(Buffer.from(payload, 'base64url').toString()),
  }
}

/** A route that mints, with a clock that does not advance. */
export class Minting {
  readonly clock: FakeClock
  readonly cache: TokenCache
  readonly keys: SigningKeySet
  readonly transformer: Transformer

  constructor(
    parts: Readonly<Record<string, unknown>> = {},
    {
      clock = new FakeClock(),
      cache = new TokenCache(),
      keys = signingKeysOf(KEYS, clock),
      allowReserved = [],
      target = { kind: 'minted-token', header: 'authorization', prefix: 'Bearer ' },
    }: {
      readonly clock?: FakeClock
      readonly cache?: TokenCache
      readonly keys?: SigningKeySet
      readonly allowReserved?: readonly string[]
      readonly target?: Pick<MintOptions, 'kind' | 'header' | 'prefix'>
    } = {},
  ) {
    this.clock = clock
    this.cache = cache
    this.keys = keys
    const config = mintConfig(parts)
    const minter = new Minter({ config, issuer: ISSUER, keys, allowReserved, cache, clock })
    this.transformer = mintedToken({ ...target, minter, cache, clock })
  }

  /** The outcome for this identity object, by which the cache finds it. */
  async give(identity: Identity): Promise<Transformation> {
    const verdict = evaluate(policyOf([{ allow: 'all' }]), { ...questionOf(), identity })
    assert.equal(verdict.outcome, 'permit')
    return await this.transformer.transform(verdict.permit, FOREVER)
  }

  /** The token of this very identity, as sent in the header. */
  async token(identity: Identity = identityOf()): Promise<string> {
    const transformation = await this.give(identity)
    assert.equal(transformation.outcome, 'transformed', JSON.stringify(transformation))
    const [[, value] = []] = transformation.forwarding.setHeaders
    return (value ?? '').replace('Bearer ', '')
  }

  /** What the token of such an identity says. */
  async read(identity: Partial<Identity> = {}): Promise<ReadToken> {
    return readSigned(await this.token(identityOf(identity)), this.keys)
  }

  /** `transformed`, or why there is no token, and the detail for operators. */
  async outcome(identity: Partial<Identity> = {}): Promise<string> {
    const transformation = await this.give(identityOf(identity))
    if (transformation.outcome !== 'failed') return transformation.outcome
    const { code, detail } = transformation
    return detail === undefined ? code : `${code}: ${detail}`
  }
}
