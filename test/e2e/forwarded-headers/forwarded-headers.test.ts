import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { nameOf } from '../../pki/making.ts'
import {
  byteSequence,
  grafanaList,
  grafanaText,
  headlampList,
  percentDecoded,
} from '../../fakes/receivers.ts'
import { http1, http2, type Answer, type HeaderLine } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { verdictOf } from '../asking.ts'
import { as, makeCa, makeCaller, writePem, type Caller } from '../client-certificates/callers.ts'
import { ALICE, basic, HOST, PASSWORDS, startSite, type Site } from '../site.ts'
import { linesNamed, routeOf, valuesNamed } from './sending.ts'

const JÜRGEN = basic('jürgen', PASSWORDS.jürgen)
const BOB = basic('bob', PASSWORDS.bob)

const CARDS = { authenticate: ['cards', 'staff'] }

const ROUTES = [
  routeOf('kubernetes', { headers: 'kubernetes' }),
  routeOf('impersonation', { headers: 'impersonation' }),
  routeOf('grafana', { headers: 'grafana' }),
  routeOf('headlamp', { headers: 'headlamp' }),
  routeOf('certificate', { headers: 'certificate' }, CARDS),
  routeOf('omit', { headers: 'certificate', certificateHeaders: { missing: 'omit' } }, CARDS),
  routeOf('der', { headers: 'certificate', certificateHeaders: { contents: 'der' } }, CARDS),
  routeOf('all', {
    headers: ['kubernetes', 'grafana'],
    set: { 'x-way': 'identity.authenticator' },
  }),
  routeOf('set', {
    set: {
      'X-Name': { value: 'identity.user', encode: 'utf8' },
      'x-groups': 'identity.groups',
      'x-groups-comma': { value: 'identity.groups', list: 'comma', encode: 'percent' },
      'x-groups-json': { value: 'identity.groups', list: 'json' },
      'x-uid': '[identity.uid].filter(one, one != "")',
      'x-nothing': '[]',
    },
  }),
  routeOf('plain', {}),
]

describe('identity headers for upstreams, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  const root = makeCa('Staff CA')
  let folder: TemporaryFolder
  let site: Site
  let holder: Caller
  before(async () => {
    folder = await temporaryFolder()
    const trust = await writePem(folder, 'trust.pem', root)
    site = await startSite({
      authenticators: { cards: { certificate: { trust } } },
      route: ROUTES[0] ?? {},
      routes: ROUTES.slice(1),
      listener: { clientCa: trust },
    })
    const subject = nameOf(['O', 'Example, "Inc."'], ['CN', 'Jürgen'])
    holder = await makeCaller(folder, { signer: root, subject })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  for (const [version, send] of Object.entries({ http1, http2 })) {
    const ask = (name: string, ...headers: readonly HeaderLine[]): Promise<Answer> =>
      send(site.target, { host: HOST, path: `/${name}`, headers })

    describe(`1. over ${version}`, () => {
      it('are those of kube-apiserver’s front proxy', async () => {
        const answer = await ask('kubernetes', JÜRGEN)
        assert.deepEqual(linesNamed(answer, /^x-remote-/), [
          ['x-remote-group', 'größe'],
          ['x-remote-user', 'jürgen'],
        ])
      })

      it('are those of impersonation, a line for each value', async () => {
        const answer = await ask('impersonation', ALICE)
        assert.deepEqual(linesNamed(answer, /^(impersonate-|x-remote-|authorization)/), [
          ['impersonate-extra-example.org%2fteam', 'blue'],
          ['impersonate-extra-example.org%2fteam', 'red'],
          ['impersonate-extra-plan', 'gold'],
          ['impersonate-group', 'dev'],
          ['impersonate-group', 'ops'],
          ['impersonate-group', 'with, comma'],
          ['impersonate-uid', '1001'],
          ['impersonate-user', 'alice'],
        ])
      })

      it('are in the form that Grafana decodes', async () => {
        for (const [who, user, groups] of [
          [ALICE, 'alice', ['dev', 'ops', 'with, comma']],
          [JÜRGEN, 'jürgen', ['größe']],
          [BOB, 'bob', []],
        ] as const) {
          const answer = await ask('grafana', who)
          assert.equal(linesNamed(answer, /^x-webauth-/).length, 2)
          const [name = ''] = valuesNamed(answer, 'x-webauth-user')
          const [list = ''] = valuesNamed(answer, 'x-webauth-groups')
          assert.equal(grafanaText(name), user)
          assert.deepEqual(grafanaList(grafanaText(list)), groups)
        }
      })

      it('are in the form that Headlamp splits', async () => {
        const answer = await ask('headlamp', JÜRGEN)
        assert.deepEqual(valuesNamed(answer, 'x-forwarded-user'), ['jürgen'])
        assert.deepEqual(valuesNamed(answer, 'x-forwarded-group').flatMap(headlampList), ['größe'])
        const alone = await ask('headlamp', BOB)
        assert.deepEqual(linesNamed(alone, /^x-forwarded-(user|group)/), [
          ['x-forwarded-user', 'bob'],
        ])
      })

      it('are in a form of the configuration’s own', async () => {
        const answer = await ask('set', ALICE)
        assert.deepEqual(linesNamed(answer, /^x-(name|groups|uid|nothing)/), [
          ['x-groups', 'dev'],
          ['x-groups', 'ops'],
          ['x-groups', 'with, comma'],
          ['x-groups-comma', 'dev,ops,with%2C%20comma'],
          ['x-groups-json', '["dev","ops","with, comma"]'],
          ['x-name', 'alice'],
          ['x-uid', '1001'],
        ])
      })

      it('may be several sets at once, and audit names each once', async () => {
        const answer = await ask('all', ALICE)
        assert.equal(answer.status, 200)
        for (const header of ['x-remote-user', 'x-webauth-user']) {
          assert.deepEqual(valuesNamed(answer, header), ['alice'])
        }
        assert.deepEqual(valuesNamed(answer, 'x-way'), ['staff'])
        assert.deepEqual((await site.events()).at(-1)?.forwarded, ['headers'])
      })

      it('are absent where the route configures none', async () => {
        const answer = await ask('plain', ALICE)
        assert.equal(answer.status, 200)
        assert.deepEqual(
          linesNamed(
            answer,
            /^(x-remote-|x-webauth-|x-cert-|x-forwarded-(user|group)|imperson|auth)/,
          ),
          [],
        )
      })
    })

    describe(`2. a client certificate over ${version}`, () => {
      const present = (name: string): Promise<Answer> =>
        send(as(site, holder).target, { host: HOST, path: `/${name}`, headers: [] })

      it('is forwarded in the formats of nginx and RFC 9440', async () => {
        const answer = await present('certificate')
        assert.equal(answer.status, 200)
        assert.deepEqual(valuesNamed(answer, 'x-cert-subject'), [
          String.raw`CN=Jürgen,O=Example\, \"Inc.\"`,
        ])
        const [pem = ''] = valuesNamed(answer, 'x-cert-contents')
        assert.deepEqual(new X509Certificate(percentDecoded(pem)).raw, holder.made.der)
        const [sequence = ''] = valuesNamed(answer, 'client-cert')
        assert.deepEqual(byteSequence(sequence), holder.made.der)
        assert.equal(linesNamed(answer, /^(x-cert-|client-cert|x-forwarded-client)/).length, 3)
      })

      it('is forwarded in base64', async () => {
        const [base64 = ''] = valuesNamed(await present('der'), 'x-cert-contents')
        assert.deepEqual(Buffer.from(base64, 'base64'), holder.made.der)
      })

      it('is missing: 403, or no header is forwarded, as configured', async () => {
        const refused = await ask('certificate', ALICE)
        assert.equal(await verdictOf(site, refused), '403 certificate-missing')
        const omitted = await ask('omit', ALICE)
        assert.equal(omitted.status, 200)
        assert.deepEqual(linesNamed(omitted, /^(x-cert-|client-cert)/), [])
      })
    })
  }

  it('3. are refused where a receiver would read another identity', async () => {
    site.upstream.clear()
    const request = { host: HOST, path: '/headlamp', headers: [ALICE] } // in "with, comma"
    assert.equal(
      await verdictOf(site, await http1(site.target, request)),
      '403 header-unrepresentable',
    )
    assert.equal((await site.events()).at(-1)?.detail, 'x-forwarded-group')
    assert.equal(site.upstream.requests.length, 0)
  })
})
