// Every way in and every way out that `countersign init` offers, run by `countersign up`. All ways in together need one
// start for each way out; each way in is also run alone.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { z } from 'zod'
import { WAYS_IN, WAYS_OUT, type WayIn, type WayOut } from '../../../src/cli/init/answers.ts'
import { pairsOf } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { startGateway, type Gateway } from './gateway.ts'

const ALONE: Readonly<Record<WayIn, WayOut>> = {
  password: 'headers',
  certificate: 'token',
  token: 'certificate',
  'api-key': 'headers',
  login: 'token',
  'command-line': 'certificate',
}

const RUNS: readonly { readonly waysIn: readonly WayIn[]; readonly wayOut: WayOut }[] = [
  ...WAYS_OUT.map((wayOut) => ({ waysIn: WAYS_IN, wayOut })),
  ...WAYS_IN.map((way) => ({ waysIn: [way], wayOut: ALONE[way] })),
]

const receivedSchema = z.object({ rawHeaders: z.array(z.string()), subject: z.string().optional() })
const keySetSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })
const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.string() })

/** The identity that the upstream finds in what it received. */
const identityAt = async (gateway: Gateway, wayOut: WayOut, body: string): Promise<string> => {
  const { rawHeaders, subject } = receivedSchema.parse(JSON.parse(body))
  const headers = new Map(pairsOf(rawHeaders))
  if (wayOut === 'certificate') return String(subject)
  if (wayOut === 'headers') {
    assert.equal(headers.get('authorization'), undefined)
    return `${headers.get('x-remote-user')}, ${headers.get('x-remote-group')}`
  }
  const { issuer, jwks_uri: keys } = discoverySchema.parse(
    await gateway.atIssuer('/.well-known/openid-configuration'),
  )
  const keySet = keySetSchema.parse(await gateway.atIssuer(new URL(keys).pathname))
  const token = headers.get('authorization')?.replace('Bearer ', '') ?? ''
  const { payload } = await jwtVerify(token, createLocalJWKSet(keySet), { issuer, audience: 'app' })
  return `${payload.sub}, ${String(payload['groups'])}`
}

const WANTED: Readonly<Record<WayOut, RegExp>> = {
  headers: /^alice, dev$/,
  token: /^alice, dev$/,
  certificate: /^CN=alice, O=dev$/,
}

/** By default, the name in a token is that of its issuer's `sub`, and its groups are not used. */
const OF_TOKENS: Readonly<Record<WayOut, RegExp>> = {
  headers: /^https:\/\/127\.0\.0\.1:\d+#alice, undefined$/,
  token: /^https:\/\/127\.0\.0\.1:\d+#alice, undefined$/,
  certificate: /^CN=https:\/\/127\.0\.0\.1:\d+#alice$/,
}

describe(
  'what countersign init writes, run by countersign up',
  { skip: skipWithoutEnvoy() },
  () => {
    for (const { waysIn, wayOut } of RUNS) {
      it(`permits the credentials of alice and refuses wrong ones: ${waysIn.join(', ')} in, ${wayOut} out`, async () => {
        await using gateway = await startGateway(waysIn, wayOut)
        for (const way of waysIn) {
          const before = gateway.forwarded()
          const { status, body } = await gateway.permitted(way)
          assert.equal(status, 200, `${way}: ${body}`)
          const wanted = way === 'token' ? OF_TOKENS : WANTED
          assert.match(await identityAt(gateway, wayOut, body), wanted[wayOut], way)
          assert.equal(gateway.forwarded(), before + 1)
          const refused = await gateway.refused(way)
          assert.equal(refused.status, way === 'login' ? 403 : 401, `${way}: ${refused.body}`)
          assert.equal(gateway.forwarded(), before + 1, way)
        }
      })
    }
  },
)
