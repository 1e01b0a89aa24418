import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { ClientHttp2Session } from 'node:http2'
import { after, before, describe, it } from 'node:test'
import { ENCODINGS, LIST_FORMS } from '../../../src/transform/schema.ts'
import { AUDIENCE, claimsOf, ISSUER, jwksOf, makeKey } from '../../authenticate/bearer/issuing.ts'
import { HOSTILE } from '../../fakes/hostile-text.ts'
import {
  fieldValue,
  grafanaList,
  grafanaText,
  headlampList,
  valuesIn,
} from '../../fakes/receivers.ts'
import { http2On, openHttp2, type Answer } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { bearer, verdictOf } from '../asking.ts'
import { HOST, startSite, type Site } from '../site.ts'
import { linesIn, routeOf, valuesNamed } from './sending.ts'

const FORMS = LIST_FORMS.flatMap((list) =>
  ENCODINGS.map((encode) => ({ name: `${list}-${encode}`, list, encode })),
)

/** Each preset: the user and groups that its receiver reads from the lines. */
const PRESETS = {
  kubernetes: (answer: Answer) => ({
    user: valuesNamed(answer, 'x-remote-user').map(fieldValue),
    groups: valuesNamed(answer, 'x-remote-group').map(fieldValue),
  }),
  impersonation: (answer: Answer) => ({
    user: valuesNamed(answer, 'impersonate-user').map(fieldValue),
    groups: valuesNamed(answer, 'impersonate-group').map(fieldValue),
  }),
  grafana: (answer: Answer) => ({
    user: valuesNamed(answer, 'x-webauth-user').map(grafanaText),
    groups: valuesNamed(answer, 'x-webauth-groups').map(grafanaText).flatMap(grafanaList),
  }),
  headlamp: (answer: Answer) => ({
    user: valuesNamed(answer, 'x-forwarded-user').map(fieldValue),
    groups: valuesNamed(answer, 'x-forwarded-group').flatMap(headlampList),
  }),
} as const

// Longer ones do not fit, as a token, into a request.
const REACHING = Object.entries(HOSTILE).filter(([, text]) => text.length < 10_000)

const key = await makeKey()
const now = Math.floor(Date.now() / 1_000)

const tokenOf = (claims: object): Promise<string> =>
  key.token(claimsOf({ iat: now, exp: now + 3_600, ...claims }))

describe('5. hostile claims, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  let session: ClientHttp2Session
  before(async () => {
    folder = await temporaryFolder()
    const keys = folder.file('keys.json')
    await writeFile(keys, jwksOf(key))
    const [first, ...routes] = [
      ...FORMS.map(({ name, list, encode }) =>
        routeOf(name, {
          set: { 'x-claim': { value: 'claims.a', list, encode } },
          allowReserved: ['system:masters'],
        }),
      ),
      ...Object.keys(PRESETS).map((headers) => routeOf(headers, { headers })),
    ]
    site = await startSite({
      authenticators: {
        tokens: {
          bearer: { issuer: ISSUER, audiences: [AUDIENCE], keys: { file: keys } },
          identity: { user: 'claims.sub', groups: 'claims.?groups.orValue([])' },
        },
      },
      route: { ...first, authenticate: ['tokens'] },
      routes: routes.map((route) => ({ ...route, authenticate: ['tokens'] })),
    })
    session = await openHttp2(site.target)
  })
  after(async () => {
    session.destroy()
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const ask = async (name: string, claims: object): Promise<Answer> =>
    await http2On(session, {
      host: HOST,
      path: `/${name}`,
      headers: [bearer(await tokenOf(claims))],
    })

  const namesIn = (answer: Answer): readonly string[] =>
    [...new Set(linesIn(answer).map(([name]) => name))].toSorted()

  for (const form of FORMS) {
    it(`are forwarded exactly, or refused (${form.list}, ${form.encode})`, async () => {
      const names = namesIn(await ask(form.name, { a: ['plain'] }))
      let forwarded = 0
      for (const [what, text] of REACHING) {
        const values = [text, 'b']
        const answer = await ask(form.name, { a: values })
        if (answer.status !== 200) {
          assert.equal(await verdictOf(site, answer), '403 header-unrepresentable', what)
          continue
        }
        forwarded += 1
        assert.deepEqual(namesIn(answer), names, what)
        assert.deepEqual(valuesIn(valuesNamed(answer, 'x-claim'), form), values, what)
      }
      assert.ok(forwarded > 10, `only ${forwarded} were forwarded`)
    })
  }

  for (const [preset, read] of Object.entries(PRESETS)) {
    it(`are forwarded exactly, or refused (${preset})`, async () => {
      const names = namesIn(await ask(preset, { groups: ['plain'] }))
      let forwarded = 0
      for (const [what, text] of REACHING) {
        for (const { sub, groups } of [
          { sub: text, groups: ['dev'] },
          { sub: 'alice', groups: ['dev', text] },
        ]) {
          const answer = await ask(preset, { sub, groups })
          if (answer.status !== 200) {
            assert.match(await verdictOf(site, answer), /^(403 (header|identity)-|401 )/, what)
            continue
          }
          forwarded += 1
          assert.deepEqual(namesIn(answer), names, what)
          assert.deepEqual(read(answer), { user: [sub], groups }, what)
        }
      }
      assert.ok(forwarded > 20, `only ${forwarded} were forwarded`)
    })
  }
})
