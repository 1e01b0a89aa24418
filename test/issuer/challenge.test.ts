// The second step of a login: a RADIUS server asks, and the login page asks for it. What is known of the
// question stays with us, and each can be answered once.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  CHALLENGE,
  FAKE_SECRET,
  REJECT,
  startFakeRadius,
  valueIn,
  type FakeRadius,
  type RadiusBehaviour,
} from '../fakes/radius-server.ts'
import {
  atSocket,
  authorization,
  configuration,
  startSite,
  type Site,
} from './authorization-server.ts'
import type { Browser, Visit } from '../fakes/browser.ts'
import { basic } from '../fakes/envoy.ts'
import { EnvoyClient } from '../fakes/envoy-client.ts'

const STATE = 24
const MESSAGE = 18
const PROMPT = 76

/** After `right` asks for 123456; `pin` is one question more. Each state is good once. */
const asking = (): RadiusBehaviour => {
  let number = 0
  const open = new Map<string, 'code' | 'pin'>()
  return ({ bytes, password }, reply) => {
    const ask = (what: 'code' | 'pin', text: string, echo = 0): readonly Buffer[] => {
      number += 1
      const state = `state-${number}`
      open.set(state, what)
      const attributes = [
        [STATE, state],
        [MESSAGE, text],
        [PROMPT, Buffer.of(0, 0, 0, echo)],
      ] as const
      return [reply({ code: CHALLENGE, attributes })]
    }
    const state = valueIn(bytes, STATE).toString()
    if (state === '') {
      if (password === 'right') return ask('code', 'Your code, <b>please</b>')
      if (password === 'two') return ask('pin', 'Your PIN', 1)
      return [reply({ code: REJECT })]
    }
    const challenge = open.get(state)
    open.delete(state)
    if (challenge === 'pin' && password === '4711') return ask('code', 'And your code')
    return [challenge === 'code' && password === '123456' ? reply() : reply({ code: REJECT })]
  }
}

interface Setting extends AsyncDisposable {
  readonly site: Site
  readonly radius: FakeRadius
  readonly browser: Browser
  readonly page: Visit
  readonly submit: (from: Visit, ending: string, fields?: Record<string, string>) => Promise<Visit>
  readonly logins: () => Promise<readonly (readonly unknown[])[]>
}

const begin = async (): Promise<Setting> => {
  await using stack = new AsyncDisposableStack()
  const radius = stack.use(await startFakeRadius(asking()))
  const text = configuration().replace(
    'verify: [{ users: { file: users.yaml } }]',
    `verify: [{ radius: { servers: [{ host: "127.0.0.1:${radius.port}", secret: "file:radius-secret" }], statusServer: false, timeout: 800ms } }]`,
  )
  const site = stack.use(await startSite(atSocket(text), { 'radius-secret': FAKE_SECRET }))
  const browser = site.browser({ 'x-countersign-source': '203.0.113.7' })
  const page = await browser.get((await authorization(await site.client('spa'))).url)
  const running = stack.move()
  return {
    site,
    radius,
    browser,
    page,
    submit: async (from, ending, fields) => await browser.submit(from, ending, fields),
    logins: async () =>
      (await site.audit('login')).map(({ outcome, reason, user }) => [outcome, reason, user]),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const RIGHT = { user: 'alice', password: 'right' }

describe('a RADIUS challenge at the login page', () => {
  it('is displayed, and its answer logs the user in', async () => {
    await using setting = await begin()
    const { page, submit, logins } = setting
    const question = await submit(page, '/password', RIGHT)
    assert.equal(question.status, 200)
    assert.match(question.body, /Your code, &lt;b&gt;please&lt;\/b&gt;/)
    assert.match(
      question.body,
      /type="password"[^>]*name="answer"|name="answer"[^>]*type="password"/,
    )
    const { url } = await submit(question, '/challenge', { answer: '123456' })
    assert.ok(url.searchParams.has('code'), url.href)
    assert.deepEqual(await logins(), [
      ['challenged', undefined, 'alice'],
      ['succeeded', undefined, 'alice'],
    ])
  })

  it('may be followed by another, and decides whether the answer is hidden', async () => {
    await using setting = await begin()
    const { page, submit } = setting
    const first = await submit(page, '/password', { user: 'alice', password: 'two' })
    assert.match(first.body, /Your PIN/)
    assert.doesNotMatch(first.body, /type="password"/)
    const second = await submit(first, '/challenge', { answer: '4711' })
    assert.match(second.body, /And your code/)
    const { url } = await submit(second, '/challenge', { answer: '123456' })
    assert.ok(url.searchParams.has('code'))
  })

  it('is not displayed after a wrong password', async () => {
    await using setting = await begin()
    const { page, submit } = setting
    const wrong = await submit(page, '/password', { user: 'alice', password: 'no' })
    assert.equal(wrong.status, 403)
    assert.doesNotMatch(wrong.body, /name="answer"/)
  })

  it('ends after a wrong answer, which is displayed and counted', async () => {
    await using setting = await begin()
    const { page, submit, logins, radius } = setting
    const question = await submit(page, '/password', RIGHT)
    const wrong = await submit(question, '/challenge', { answer: '654321' })
    assert.equal(wrong.status, 403)
    assert.match(wrong.body, /Wrong answer/)
    assert.match(wrong.body, /name="password"/)
    const before = radius.requests.length
    const late = await submit(question, '/challenge', { answer: '123456' })
    assert.equal(late.status, 400)
    assert.equal(radius.requests.length, before)
    assert.deepEqual(await logins(), [
      ['challenged', undefined, 'alice'],
      ['refused', 'credential-wrong', 'alice'],
    ])
    const again = await submit(wrong, '/password', RIGHT)
    const { url } = await submit(again, '/challenge', { answer: '123456' })
    assert.ok(url.searchParams.has('code'))
  })

  it('hostile: accepts one of several simultaneous answers', async () => {
    await using setting = await begin()
    const { page, submit, radius } = setting
    const question = await submit(page, '/password', RIGHT)
    const before = radius.requests.length
    const answers = Array.from({ length: 8 }, (_, index) => `${index}`)
    await Promise.all(answers.map((answer) => submit(question, '/challenge', { answer })))
    assert.equal(radius.requests.length - before, 1)
  })

  it('hostile: is bound to one browser and one login', async () => {
    await using setting = await begin()
    const { page, submit, site, browser, radius } = setting
    const question = await submit(page, '/password', RIGHT)
    const before = radius.requests.length
    const stolen = await site.browser().submit(question, '/challenge', { answer: '123456' })
    assert.equal(stolen.status, 400)
    const other = await browser.get((await authorization(await site.client('spa'))).url)
    const forged = question.body.replaceAll(
      question.url.pathname.split('/')[2] ?? '',
      other.url.pathname.split('/')[2] ?? '',
    )
    const swapped = await browser.submit({ ...question, body: forged }, '/challenge', {
      answer: '123456',
    })
    assert.equal(swapped.status, 400)
    assert.equal(radius.requests.length, before)
  })

  it('hostile: does not reveal its State in the page', async () => {
    await using setting = await begin()
    const { page, submit } = setting
    const { body } = await submit(page, '/password', RIGHT)
    for (const text of ['state-1', Buffer.from('state-1').toString('base64url'), 'right']) {
      assert.equal(body.includes(text), false, text)
    }
  })

  it('is displayed again when the page is loaded again or the answer is missing', async () => {
    await using setting = await begin()
    const { page, submit, browser } = setting
    const question = await submit(page, '/password', RIGHT)
    const empty = await submit(question, '/challenge', { answer: '' })
    assert.equal(empty.status, 400)
    assert.match(empty.body, /Your code/)
    const again = await browser.get(page.url)
    assert.match(again.body, /Your code/)
    const { url } = await submit(again, '/challenge', { answer: '123456' })
    assert.ok(url.searchParams.has('code'))
  })

  it('can be cancelled in favour of the password', async () => {
    await using setting = await begin()
    const { page, submit, browser } = setting
    const question = await submit(page, '/password', RIGHT)
    const form = { ...question, body: question.body.replace('/challenge?', '/cancel?') }
    const back = await browser.submit(form, '/cancel')
    assert.equal(back.status, 200)
    assert.match(back.body, /name="password"/)
    assert.match((await browser.get(page.url)).body, /name="password"/)
    assert.equal((await submit(question, '/challenge', { answer: '123456' })).status, 400)
  })

  it('hostile: locks the user out after wrong answers, at the login page and at routes', async () => {
    await using setting = await begin()
    const { page, submit, site } = setting
    let last = page
    for (let attempt = 0; attempt < 20 && last.status !== 429; attempt += 1) {
      last = await submit(page, '/password', RIGHT)
      if (last.status !== 200) break
      last = await submit(last, '/challenge', { answer: `no-${attempt}` })
    }
    assert.equal(last.status, 429)
    assert.ok(Number(last.headers['retry-after']) > 0)
    using envoy = new EnvoyClient(site.authz.address)
    await envoy.check({
      host: 'app.example.org',
      path: '/',
      headers: [['authorization', basic('alice', 'right')]],
    })
    assert.equal((await site.audit('decision')).at(-1)?.['reason'], 'too-many-attempts')
  })

  it('can still be answered after a pause in which no answer is forwarded', async () => {
    await using setting = await begin()
    const { page, submit, radius } = setting
    // Four failures and the question are five.
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await submit(page, '/password', { user: 'alice', password: `no-${attempt}` })
    }
    const question = await submit(page, '/password', RIGHT)
    const before = radius.requests.length
    const early = await submit(question, '/challenge', { answer: '123456' })
    assert.equal(early.status, 429)
    assert.match(early.body, /name="answer"/)
    assert.equal(radius.requests.length, before)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    const { url } = await submit(early, '/challenge', { answer: '123456' })
    assert.ok(url.searchParams.has('code'))
  })

  it('is a refusal with HTTP Basic', async () => {
    await using setting = await begin()
    using envoy = new EnvoyClient(setting.site.authz.address)
    const { allow } = await envoy.check({
      host: 'app.example.org',
      path: '/',
      headers: [['authorization', basic('alice', 'right')]],
    })
    assert.equal(allow, false)
    const decision = (await setting.site.audit('decision')).at(-1)
    assert.equal(decision?.['reason'], 'second-factor-required')
  })

  it('ends with 503 when the RADIUS server is down', async () => {
    await using setting = await begin()
    const { page, submit, radius } = setting
    const question = await submit(page, '/password', RIGHT)
    radius.behave = () => []
    const failed = await submit(question, '/challenge', { answer: '123456' })
    assert.equal(failed.status, 503)
    assert.match(failed.body, /name="password"/)
  })
})
