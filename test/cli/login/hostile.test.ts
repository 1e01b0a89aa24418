// Logging in at a hostile provider, or through a hostile network: unverified tokens are not stored, and the fault
// is reported.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { logIn, type Person } from '../../../src/cli/login/log-in.ts'
import type { Tokens } from '../../../src/cli/login/login-record.ts'
import { openProvider } from '../../../src/cli/login/provider/provider.ts'
import { makeKey } from '../../authenticate/bearer/issuing.ts'
import { createAuthority, createPki, type Pki } from '../../servers/pki.ts'
import type { Answer } from '../../servers/token-server.ts'
import {
  CLIENT,
  PATHS,
  startHostileProvider,
  membersOf,
  withMembers,
  type HostileProvider,
} from './hostile-provider.ts'

const NEVER = new AbortController().signal

/** What the browser does with the URL that it is given: where it ends up. */
type Browse = (url: URL, provider: HostileProvider) => Promise<unknown>

/** The answer of a login that went well, with other parameters. */
const answerTo = (
  url: URL,
  { issuer }: HostileProvider,
  changes: Readonly<Record<string, string | undefined>> = {},
): URL => {
  const callback = new URL(url.searchParams.get('redirect_uri') ?? '')
  const honest = { code: 'code', state: url.searchParams.get('state') ?? '', iss: issuer }
  for (const [name, value] of Object.entries({ ...honest, ...changes })) {
    if (value !== undefined) callback.searchParams.append(name, value)
  }
  return callback
}

const answering =
  (changes: Readonly<Record<string, string | undefined>>): Browse =>
  async (url, provider) =>
    await fetch(answerTo(url, provider, changes))

const honestly = answering({})

describe('a hostile provider', () => {
  const owned = new AsyncDisposableStack()
  let pki: Pki
  before(async () => {
    pki = owned.use(await createPki())
  })
  after(() => owned.disposeAsync())

  /** Logs alice in with a browser that follows every redirect. */
  const attempt = async (
    provider: HostileProvider,
    browse: Browse = honestly,
    patience = 10_000,
  ): Promise<Tokens> => {
    const opened = await openProvider({ issuer: provider.issuer, clientId: CLIENT }, { ca: pki.ca })
    const person: Person = {
      tell: () => undefined,
      hasBrowser: true,
      open: async (url) => {
        provider.nonce = url.searchParams.get('nonce') ?? ''
        void browse(url, provider).catch(() => undefined)
        return true
      },
    }
    return await logIn(opened, { port: 0, consent: true }, person, NEVER, patience)
  }

  const lying = async (
    path: string,
    lie: (honest: Answer) => Answer | Promise<Answer>,
  ): Promise<HostileProvider> => {
    const provider = await startHostileProvider(pki.upstream)
    provider.lies.set(path, lie)
    return provider
  }

  it('is used where it is honest (the control)', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const { subject, user } = await attempt(provider)
    assert.deepEqual({ subject, user }, { subject: 'u-alice', user: 'u-alice' })
  })

  const ANSWERS: readonly { name: string; browse: Browse; says: RegExp; code?: string }[] = [
    {
      name: 'the iss of another provider (mix-up, RFC 9207)',
      browse: answering({ iss: 'https://honest.example.org' }),
      says: /unexpected "iss" \(issuer\) response parameter value/,
    },
    {
      name: 'no iss, though its metadata promises one',
      browse: answering({ iss: undefined }),
      says: /"iss" \(issuer\) missing/,
    },
    {
      name: 'an error',
      browse: answering({ code: undefined, error: 'access_denied', error_description: 'no' }),
      says: /refused: access_denied: no$/,
    },
    {
      name: 'an error and a code',
      browse: answering({ error: 'server_error' }),
      says: /refused: server_error$/,
    },
    {
      name: 'an error with control characters',
      browse: answering({ error: 'access_denied', error_description: '\u001b[2J\u202egnol' }),
      says: /refused: access_denied: \?\[2J\?gnol$/,
    },
    { name: 'no code', browse: answering({ code: undefined }), says: /no authorization code/ },
    {
      name: 'two codes',
      browse: async (url, provider) => {
        const answer = answerTo(url, provider)
        answer.searchParams.append('code', 'another')
        return await fetch(answer)
      },
      says: /"code" parameter must be provided only once/,
    },
    {
      name: 'an ID token in the authorization response',
      browse: answering({ id_token: 'x.y.z' }),
      says: /implicit and hybrid flows are not supported/,
    },
  ]
  for (const { name, browse, says } of ANSWERS) {
    it(`answers with ${name}: the code is not exchanged`, async () => {
      await using provider = await startHostileProvider(pki.upstream)
      await assert.rejects(attempt(provider, browse), { code: 'login-failed', message: says })
      assert.ok(!provider.server.requests.some(({ path }) => path === PATHS.token))
    })
  }

  it('answers with another state: that is ignored, and the real answer is used', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const statuses: number[] = []
    await attempt(provider, async (url, from) => {
      for (const state of ['another', '', undefined]) {
        statuses.push((await fetch(answerTo(url, from, { state }))).status)
      }
      statuses.push((await fetch(answerTo(url, from))).status)
    })
    await sleep(50)
    assert.deepEqual(statuses, [400, 400, 400, 200])
    assert.equal(provider.server.requests.filter(({ path }) => path === PATHS.token).length, 1)
  })

  it('sends the code of another browser: it is refused for its code_verifier', async () => {
    await using provider = await lying(PATHS.token, () => ({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'PKCE verification failed' },
    }))
    await assert.rejects(attempt(provider, answering({ code: 'of-somebody-else' })), {
      code: 'login-failed',
      message: /refused: invalid_grant: PKCE verification failed$/,
    })
    const request = provider.server.requests.find(({ path }) => path === PATHS.token)
    assert.match(request?.form['code_verifier'] ?? '', /^[\w-]{43}$/)
  })

  const now = Math.floor(Date.now() / 1_000)
  const CLAIMS: readonly { name: string; claims: Record<string, unknown>; says: RegExp }[] = [
    { name: 'another nonce', claims: { nonce: 'of-another-login' }, says: /"nonce"/ },
    { name: 'no nonce', claims: { nonce: undefined }, says: /"nonce"/ },
    { name: 'another issuer', claims: { iss: 'https://honest.example.org' }, says: /"iss"/ },
    { name: 'another audience', claims: { aud: 'another' }, says: /"aud"/ },
    {
      name: 'several audiences and another azp',
      claims: { aud: [CLIENT, 'another'], azp: 'another' },
      says: /"azp"/,
    },
    { name: 'no subject', claims: { sub: undefined }, says: /"sub"/ },
    { name: 'an exp in the past', claims: { exp: now - 3_600, iat: now - 7_200 }, says: /"exp"/ },
  ]
  for (const { name, claims, says } of CLAIMS) {
    it(`sends an ID token with ${name}: it is refused`, async () => {
      await using provider = await startHostileProvider(pki.upstream)
      provider.claims = claims
      await assert.rejects(attempt(provider), { code: 'login-failed', message: says })
    })
  }

  it('sends an ID token signed with another key of the same kid: it is refused', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.signer = await makeKey()
    await assert.rejects(attempt(provider), {
      code: 'login-failed',
      message: /JWT signature verification failed/,
    })
  })

  it('sends an unsigned ID token: it is refused', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    const none = Buffer.from('{"alg":"none"}').toString('base64url')
    provider.lies.set(PATHS.token, (honest) => {
      const [, claims] = String(membersOf(honest)['id_token']).split('.')
      return withMembers({ id_token: `${none}.${claims}.` })(honest)
    })
    await assert.rejects(attempt(provider), { code: 'login-failed', message: /"alg"/ })
  })

  it('sends no ID token: that is refused', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.tokens = { id_token: undefined }
    await assert.rejects(attempt(provider), { code: 'login-failed', message: /"id_token"/ })
  })

  it('sends a token with a line end: it is refused', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.tokens = { access_token: 'a\r\nImpersonate-User: root' }
    await assert.rejects(attempt(provider), {
      code: 'login-failed',
      message: /characters that no token has/,
    })
  })

  it('sends a token with a future iat, which is reported as a wrong clock', async () => {
    await using provider = await lying(PATHS.token, (honest) => ({
      ...honest,
      headers: { date: new Date(Date.now() - 3_600_000).toUTCString() },
    }))
    provider.claims = { exp: now - 3_300, iat: now - 3_600 }
    await assert.rejects(attempt(provider), {
      code: 'login-failed',
      message: /The clock of this machine is 36\d\d s ahead of the provider’s: set it$/,
    })
  })

  const DOCUMENTS: readonly {
    name: string
    lie: (honest: Answer) => Answer
    says: RegExp
    code?: string
  }[] = [
    {
      name: 'of another issuer',
      lie: withMembers({ issuer: 'https://honest.example.org' }),
      says: /discovered metadata issuer does not match the expected issuer/,
    },
    { name: 'with status 404', lie: () => ({ status: 404 }), says: /is not taken: status 404$/ },
    {
      name: 'behind a redirect',
      lie: () => ({ status: 302, headers: { location: 'https://honest.example.org/' } }),
      says: /is not taken: status 302$/,
    },
    { name: 'that is not JSON', lie: () => ({ body: '<html>' }), says: /is not taken: / },
    {
      name: 'without endpoints',
      lie: () => ({ body: '<html>', headers: { 'content-type': 'text/html' } }),
      says: /is not taken: unexpected response content-type/,
    },
    {
      name: 'of unlimited length',
      lie: () => ({ body: JSON.stringify({ padding: 'x'.repeat(2_000_000) }) }),
      says: /sent more than 1048576 bytes$/,
      code: 'unavailable',
    },
    {
      name: 'with status 503',
      lie: () => ({ status: 503 }),
      says: /cannot be reached: status 503$/,
      code: 'unavailable',
    },
    {
      name: 'with a file: authorization endpoint',
      lie: withMembers({ authorization_endpoint: 'file:///etc/passwd' }),
      says: /is not taken: only requests to HTTPS are allowed$/,
    },
    {
      name: 'with an http: authorization endpoint',
      lie: withMembers({ authorization_endpoint: 'http://honest.example.org/' }),
      says: /is not taken: only requests to HTTPS are allowed$/,
    },
    {
      name: 'with an http: token endpoint',
      lie: withMembers({ token_endpoint: 'http://honest.example.org/token' }),
      says: /only requests to HTTPS are allowed/,
    },
  ]
  for (const { name, lie, says, code = 'login-failed' } of DOCUMENTS) {
    it(`has a discovery document ${name}: it is refused`, async () => {
      await using provider = await lying(PATHS.discovery, lie)
      await assert.rejects(attempt(provider), { code, message: says })
    })
  }

  it('answers without end at the token endpoint: it is aborted', async () => {
    await using provider = await lying(PATHS.token, () => ({
      body: JSON.stringify({ access_token: 'x'.repeat(2_000_000) }),
    }))
    await assert.rejects(attempt(provider), {
      code: 'unavailable',
      message: /\/token sent more than 1048576 bytes$/,
    })
  })

  it('has a certificate for another host: it is refused', async () => {
    await using strangers = await createAuthority('strangers')
    await using provider = await startHostileProvider(
      await strangers.issue({ commonName: 'localhost', names: ['localhost'], usage: 'server' }),
    )
    await assert.rejects(attempt(provider), { code: 'unavailable', message: /certificate/ })
  })

  it('is polled until the deadline of a login only', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    await assert.rejects(
      attempt(provider, async () => undefined, 200),
      { code: 'login-failed', message: /^no login within 0 minutes; run the command again/ },
    )
  })
})
