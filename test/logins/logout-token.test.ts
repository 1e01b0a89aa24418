// Logout tokens whose JSON is spelt in unusual ways.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CompactSign, generateKeyPair, type GenerateKeyPairResult } from 'jose'
import { readLogoutToken, type LogoutToken } from '../../src/logins/upstream-idp/logout-token.ts'
import { confusedWith } from '../fakes/confused-names.ts'

const ISSUER = 'https://login.example.org'
const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

const verified = async (
  { publicKey, privateKey }: GenerateKeyPairResult,
  spelling: (payload: string) => string,
): Promise<LogoutToken> => {
  const now = Math.floor(Date.now() / 1_000)
  const claims = {
    iss: ISSUER,
    aud: 'countersign',
    jti: 'id-1',
    iat: now,
    exp: now + 120,
    events: { other: {}, [EVENT]: {} },
    sub: 'alice',
  }
  const token = await new CompactSign(Buffer.from(spelling(JSON.stringify(claims))))
    .setProtectedHeader({ alg: 'ES256' })
    .sign(privateKey)
  return await readLogoutToken(token, {
    issuer: ISSUER,
    clientId: 'countersign',
    keys: async () => publicKey,
    tolerance: 60,
  })
}

// As PHP writes it.
const escaped = (payload: string): string => payload.replaceAll('/', String.raw`\/`)

describe('a logout token', () => {
  it('logs out when its slashes are escaped, whatever names were read before', async () => {
    const keys = await generateKeyPair('ES256')
    JSON.parse(JSON.stringify({ other: {}, [confusedWith(EVENT, escaped(EVENT))]: {} }))
    const { subject, session, id } = await verified(keys, escaped)
    assert.deepEqual([subject, session, id], ['alice', undefined, 'id-1'])
  })

  const HOSTILE = [
    {
      name: 'with a subject twice',
      spelling: (text: string) => text.replace('{', '{"sub":"bob",'),
    },
    {
      name: 'with a nonce, escaped',
      spelling: (text: string) => text.replace('{', String.raw`{"\u006eonce":"n",`),
    },
    {
      name: 'about another event',
      spelling: (text: string) => text.replace('backchannel', 'other'),
    },
  ]
  for (const { name, spelling } of HOSTILE) {
    it(`hostile: is refused: ${name}`, async () => {
      await assert.rejects(verified(await generateKeyPair('ES256'), spelling), Error)
    })
  }
})
