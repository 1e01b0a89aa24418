import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { http1, http2, valuesOf, type Answer, type HeaderLine } from '../../servers/client.ts'
import { countersign } from '../../cli/run.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { sendRaw, upgradeRaw } from '../../servers/raw-client.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { ALICE, eventually, HOST, received, receivedBy, startSite, type Site } from '../site.ts'
import {
  DISGUISES,
  ended,
  header,
  KEYS,
  off,
  PERMITTED,
  REFUSED,
  type Question,
} from './questions.ts'

const AUTHENTICATORS = (file: string) => ({
  programs: {
    apiKey: {
      realm: 'Site',
      file,
      locations: [
        { header: 'X-Api-Key' },
        { header: 'Authorization', scheme: 'ApiKey' },
        { query: 'api_key' },
      ],
    },
    identity: { user: '"key:" + account.user' },
  },
})

describe('API keys through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  let key: string
  before(async () => {
    folder = await temporaryFolder()
    const file = folder.file('api-keys.yaml')
    await writeFile(file, KEYS)
    key = await makeKey('--id', 'deploy', '--groups', 'dev,ops', '--expires', '1h')
    site = await startSite({
      authenticators: AUTHENTICATORS(file),
      route: { authenticate: ['programs', 'staff'] },
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const makeKey = async (...args: readonly string[]): Promise<string> => {
    const file = folder.file('api-keys.yaml')
    const made = await countersign(['keys', 'api', '--user', 'bot', '--file', file, ...args])
    assert.equal(made.status, 0, made.stderr)
    return made.stdout.trim()
  }

  const ask = ({ path = '/', headers = [] }: Question): Promise<Answer> =>
    sendRaw(site.target, { line: `GET ${path} HTTP/1.1`, headers: [['Host', HOST], ...headers] })

  /** The last request that the upstream received; it must not contain a secret. */
  const forwarded = (): string => {
    const request = site.upstream.requests.at(-1)
    assert.ok(request !== undefined)
    const all = JSON.stringify(request)
    for (const secret of [key, ended, off]) assert.ok(!all.includes(secret), all)
    assert.doesNotMatch(all, /api.?key|csk_/i)
    return request.url
  }

  for (const { name, question, url } of PERMITTED) {
    it(`1. a key ${name}: its owner’s identity is forwarded, and the key is not`, async () => {
      const answer = await ask(question(key))
      assert.equal(answer.status, 200, answer.body)
      assert.deepEqual(received(answer, 'x-remote-user'), ['key:bot'])
      assert.deepEqual(received(answer, 'x-remote-group'), ['dev', 'ops'])
      assert.equal(forwarded(), url)
      const event = (await site.events()).at(-1)
      assert.deepEqual([event?.authentication, event?.credential], ['api-key', 'deploy'])
    })
  }

  it('1. a key over HTTP/2: its owner’s identity is forwarded', async () => {
    const path = `/a?z=1&api_key=${key}&b&a=2`
    assert.equal((await http2(site.target, { host: HOST, path })).status, 200)
    assert.equal(forwarded(), '/a?z=1&b&a=2')
    const headers: readonly HeaderLine[] = [['x-api-key', key]]
    assert.equal((await http2(site.target, { host: HOST, headers })).status, 200)
    forwarded()
  })

  it('1. a key on an upgrade: its owner’s identity is forwarded', async () => {
    const headers: readonly HeaderLine[] = [
      ['Host', HOST],
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ]
    const line = `GET /ws?b=1&api_key=${key}&a=2 HTTP/1.1`
    using upgraded = await upgradeRaw(site.target, { line, headers })
    assert.equal(upgraded.answer.status, 101)
    assert.equal(forwarded(), '/ws?b=1&a=2')
  })

  it('1. the Referer is forwarded without the key', async () => {
    const headers: readonly HeaderLine[] = [
      ['X-Api-Key', key],
      ['Referer', `https://${HOST}/page?API_KEY=${key}`],
    ]
    const answer = await ask({ headers })
    assert.deepEqual(received(answer, 'referer'), [`https://${HOST}/page`])
    const harmless = await ask({
      headers: [
        ['X-Api-Key', key],
        ['Referer', `https://${HOST}/page?a=b`],
      ],
    })
    assert.deepEqual(received(harmless, 'referer'), [`https://${HOST}/page?a=b`])
  })

  it('1. a caller with a password is accepted, and other parameters are forwarded', async () => {
    const path = '/a?z=1&key=2&a'
    const answer = await ask({ path, headers: [ALICE] })
    assert.deepEqual(received(answer, 'x-remote-user'), ['alice'])
    assert.equal(site.upstream.requests.at(-1)?.url, path)
  })

  for (const { name, question, reason, status = 401, user } of REFUSED) {
    it(`2. refuses ${name}`, async () => {
      site.upstream.clear()
      const answer = await ask(question(key))
      assert.equal(answer.status, status)
      assert.equal(site.upstream.requests.length, 0)
      const event = (await site.events()).at(-1)
      assert.deepEqual([event?.reason, event?.user], [reason, user])
    })
  }

  it('2. names the header and the parameter of a key in its challenge', async () => {
    assert.deepEqual(valuesOf(await ask({}), 'www-authenticate'), [
      'ApiKey realm="Site", in="header", name="x-api-key"',
      'ApiKey realm="Site"',
      'ApiKey realm="Site", in="query", name="api_key"',
      'Basic realm="Site", charset="UTF-8"',
    ])
  })

  for (const disguise of DISGUISES) {
    it(`3. refuses ?${disguise}, even with a valid key in the header`, async () => {
      site.upstream.clear()
      const path = `/a?${disguise.replaceAll('<key>', key)}`
      for (const headers of [[], header(key), [ALICE]]) {
        const answer = await ask({ path, headers })
        assert.ok([400, 401].includes(answer.status))
      }
      assert.equal(site.upstream.requests.length, 0)
      const reasons = (await site.events()).slice(-3).map(({ reason }) => reason)
      assert.deepEqual(
        reasons,
        Array.from({ length: 3 }, () => 'credential-malformed'),
      )
    })
  }

  it('3. lets Envoy refuse X_Api_Key, which some read as X-Api-Key', async () => {
    site.upstream.clear()
    const answer = await ask({ headers: [['X_Api_Key', key], ALICE] })
    assert.equal(answer.status, 400)
    assert.equal(site.upstream.requests.length, 0)
  })

  it('4. a key counts when it is added to the file, and ends when it is removed', async () => {
    const file = folder.file('api-keys.yaml')
    const fresh = await makeKey('--id', 'fresh')
    const status = async (): Promise<number> =>
      (await http1(site.target, { host: HOST, headers: header(fresh) })).status
    await eventually(status, (seen) => seen === 200)
    const text = await readFile(file, 'utf8')
    assert.match(text, /^# kept by hand\nkeys:\n/)
    await writeFile(file, text.replace(/ {2}fresh:\n( {4}.*\n)+/, ''))
    await eventually(status, (seen) => seen === 401)
    assert.equal((await site.events()).at(-1)?.reason, 'api-key-unknown')
    assert.equal((await ask({ headers: header(key) })).status, 200)
  })

  it('no key is in the logs', async () => {
    const audit = await readFile(site.files.audit, 'utf8')
    assert.ok(audit.includes('"credential":"deploy"'))
    assert.doesNotMatch(audit, /csk_/)
    assert.doesNotMatch(site.envoy.log(), /csk_/)
  })

  it('no key was forwarded in a header', async () => {
    const answer = await ask({ headers: header(key) })
    const names = receivedBy(answer).map(([name]) => name)
    assert.ok(!names.some((name) => /api.?key|authorization/i.test(name)))
  })
})
