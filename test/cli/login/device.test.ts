// Logging in with a code on another device (RFC 8628), at a provider that lets one wait.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { logIn, type Person } from '../../../src/cli/login/log-in.ts'
import type { Tokens } from '../../../src/cli/login/login-record.ts'
import { openProvider } from '../../../src/cli/login/provider/provider.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import type { Answer } from '../../servers/token-server.ts'
import {
  CLIENT,
  PATHS,
  startHostileProvider,
  withMembers,
  type HostileProvider,
} from './hostile-provider.ts'

const NEVER = new AbortController().signal

interface Way {
  readonly device?: boolean
  readonly browser?: boolean
  readonly hasBrowser?: boolean
}

describe('a login on another device', { concurrency: true }, () => {
  const owned = new AsyncDisposableStack()
  let pki: Pki
  before(async () => {
    pki = owned.use(await createPki())
  })
  after(() => owned.disposeAsync())

  const attempt = async (
    provider: HostileProvider,
    { hasBrowser = false, ...way }: Way = { device: true },
    signal = NEVER,
  ): Promise<{ readonly tokens: Tokens; readonly output: string }> => {
    const request = { issuer: provider.issuer, clientId: CLIENT, resource: 'urn:kube' }
    const opened = await openProvider(request, { ca: pki.ca })
    let output = ''
    const person: Person = {
      tell: (text) => (output += text),
      hasBrowser,
      open: async () => true,
    }
    const options = { ...way, port: 0, consent: true }
    return { tokens: await logIn(opened, options, person, signal, 100), output }
  }

  /** Answers the first questions at the token endpoint so, and then honestly. */
  const answeringFirst = async (...first: readonly Answer[]): Promise<HostileProvider> => {
    const provider = await startHostileProvider(pki.upstream)
    const left = [...first]
    provider.lies.set(PATHS.token, (honest) => left.shift() ?? honest)
    return provider
  }

  const asksOf = ({ server }: HostileProvider) =>
    server.requests.filter(({ path }) => path === PATHS.token)

  const error = (code: string): Answer => ({ status: 400, body: { error: code } })

  it('prints the page and the code, and polls until the login is complete', async () => {
    const pending = error('authorization_pending')
    await using provider = await answeringFirst(pending, pending)
    const { tokens, output } = await attempt(provider)
    assert.equal(tokens.subject, 'u-alice')
    assert.match(output, new RegExp(`within 10 min:\n\n {2}${provider.issuer}/activate\n`))
    assert.match(output, /\n {2}WDJB-MJHT\n/)
    const asks = asksOf(provider)
    assert.equal(asks.length, 3)
    for (const { form } of asks) {
      assert.deepEqual(form, {
        resource: 'urn:kube',
        client_id: CLIENT,
        device_code: 'device-code',
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      })
    }
  })

  it('polls less often after slow_down', async () => {
    await using provider = await answeringFirst(error('slow_down'))
    const began = performance.now()
    await attempt(provider)
    // RFC 8628 §3.5: by five seconds.
    assert.ok(performance.now() - began > 5_000)
    assert.equal(asksOf(provider).length, 2)
  })

  it('continues after the provider was down for a while', async () => {
    await using provider = await answeringFirst(
      { status: 503 },
      { write: (response) => response.destroy() },
    )
    assert.equal((await attempt(provider)).tokens.subject, 'u-alice')
    assert.equal(asksOf(provider).length, 3)
  })

  it('ends when the user declines it', async () => {
    await using provider = await answeringFirst(error('access_denied'))
    await assert.rejects(attempt(provider), {
      code: 'login-failed',
      message: /refused: access_denied$/,
    })
    assert.equal(asksOf(provider).length, 1)
  })

  it('ends when the provider reports expired_token', async () => {
    await using provider = await answeringFirst(error('expired_token'))
    await assert.rejects(attempt(provider), {
      code: 'login-failed',
      message: /refused: expired_token$/,
    })
  })

  it('ends when the code has expired, whatever the provider answers', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.lies.set(PATHS.token, () => error('authorization_pending'))
    provider.lies.set(PATHS.device, withMembers({ expires_in: 0.3 }))
    await assert.rejects(attempt(provider), {
      code: 'login-failed',
      message: /^no login with the code within 0 minutes; run the command again/,
    })
  })

  it('ends at once when it is interrupted', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.lies.set(PATHS.device, withMembers({ interval: 60 }))
    const reason = new Error('interrupted')
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), 100)
    const began = performance.now()
    await assert.rejects(attempt(provider, { device: true }, controller.signal), reason)
    assert.ok(performance.now() - began < 3_000)
  })

  it('prints no control characters of the provider', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.lies.set(
      PATHS.device,
      withMembers({
        user_code: 'A\u001b[2JB\u0007',
        verification_uri: 'https://id.example.org/\r\u001b]0;x\u0007',
        verification_uri_complete: 'https://id.example.org/\u202e',
      }),
    )
    const { output } = await attempt(provider)
    assert.match(output, /A\?\[2JB\?/)
    // oxlint-disable-next-line no-control-regex -- what is not to be there
    assert.doesNotMatch(output, /[\u001b\u0007\r\u202e]/)
  })

  const CHOICES: readonly { name: string; way: Way; device: boolean }[] = [
    { name: 'without a browser', way: {}, device: true },
    { name: 'with --device', way: { device: true, hasBrowser: true }, device: true },
    { name: 'with a browser', way: { hasBrowser: true }, device: false },
    { name: 'with --no-browser', way: { browser: false }, device: false },
  ]
  for (const { name, way, device } of CHOICES) {
    it(`is ${device ? '' : 'not '}used ${name}`, async () => {
      await using provider = await startHostileProvider(pki.upstream)
      const attempted = attempt(provider, way)
      if (device) await attempted
      else await assert.rejects(attempted, { message: /^no login/ })
      const requested = provider.server.requests.some(({ path }) => path === PATHS.device)
      assert.equal(requested, device)
    })
  }

  it('is not used where the provider does not support it: the URL is printed', async () => {
    await using provider = await startHostileProvider(pki.upstream)
    provider.lies.set(PATHS.discovery, withMembers({ device_authorization_endpoint: undefined }))
    await assert.rejects(attempt(provider, {}), { message: /--device logs in on another$/ })
    await assert.rejects(attempt(provider, { device: true }), {
      code: 'login-failed',
      message: /device_authorization_endpoint/,
    })
  })
})
