// How a caller was proven, in the words of tokens: what is known, and nothing made up.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allOf } from '../../src/authenticate/all.ts'
import { authenticationContext } from '../../src/identity/authentication-context.ts'
import type { ProvenCredential } from '../../src/identity/identity.ts'
import { IdentityMapping } from '../../src/identity/mapping.ts'
import { credentialOf, fakeAuthenticator } from '../fakes/authenticator.ts'
import { requestOf } from '../fakes/envoy.ts'

const combined = async (
  ...parts: readonly Partial<ProvenCredential>[]
): Promise<ProvenCredential> => {
  const links = parts.map((credential, index) => ({
    authenticator: fakeAuthenticator(`a${index}`, {
      outcome: 'authenticated',
      credential: credentialOf(credential),
    }),
    mapping: new IdentityMapping(`a${index}`, { allowReserved: [] }),
  }))
  const { authenticator } = allOf(links, false)
  const result = await authenticator.authenticate(requestOf({}), new AbortController().signal)
  assert.equal(result.outcome, 'authenticated')
  return result.credential
}

const PASSWORD = { method: 'basic', authenticatedAt: 5_000 } as const
const CERTIFICATE = { method: 'certificate', authenticatedAt: 3_000 } as const
const TOKEN = { method: 'bearer', claims: { amr: ['otp'], auth_time: 1 } } as const

describe('several credentials at once', () => {
  const CASES = [
    {
      name: 'a certificate and a password are two factors',
      input: [CERTIFICATE, PASSWORD],
      want: { methods: ['pop', 'pwd', 'mfa'], time: 3 },
    },
    {
      name: 'two passwords are one',
      input: [PASSWORD, PASSWORD],
      want: { methods: ['pwd'], time: 5 },
    },
    {
      name: 'a token and a password are not, for the token may have been got by it',
      input: [PASSWORD, TOKEN],
      want: { methods: ['pwd', 'otp'], time: 5 },
    },
    {
      name: 'a token and a certificate are not either',
      input: [TOKEN, CERTIFICATE],
      want: { methods: ['otp', 'pop'], time: 3 },
    },
    {
      name: 'an API key adds nothing that has a name',
      input: [{ method: 'api-key' }, PASSWORD],
      want: { methods: ['pwd'], time: 5 },
    },
  ] as const
  for (const { name, input, want } of CASES) {
    it(name, async () => {
      assert.deepEqual(authenticationContext(await combined(...input)), want)
    })
  }

  it('have the certificate itself, whichever of them it came with', async () => {
    const certificateDer = Buffer.from('der')
    const credential = await combined(PASSWORD, { ...CERTIFICATE, certificateDer })
    assert.equal(credential.certificateDer, undefined) // without what it says it is none
  })
})
