import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { EXT_AUTHZ } from '../../../src/envoy/filters.ts'
import { http1, http2, type Answer, type HeaderLine, type Target } from '../../servers/client.ts'
import { skipWithoutEnvoy, startEnvoy, type Envoy } from '../../servers/envoy.ts'
import {
  skipWithoutLighttpd,
  startLighttpd,
  variablesIn,
  VARIABLES,
} from '../../servers/lighttpd.ts'
import { createPki } from '../../servers/pki.ts'
import { basic, bootstrapOf, HOST, PASSWORDS, startSite, type Site } from '../site.ts'

/** Names that an upstream may trust; bob has no groups, no uid and nothing extra. */
const NAMES = [
  'X-Remote-User',
  'X-Remote-Group',
  'X-Remote-Uid',
  'X-Remote-Extra-Admin',
  'X-Cert-Subject',
  'X-Webauth-User',
  'X-Countersign-Decision',
  'X-Forwarded-Client-Cert',
  'X-Forwarded-User',
  'X-Forwarded-Preferred-Username',
  'X-Forwarded-Host',
  'X-Real-Ip',
  'X-Envoy-External-Address',
  'Client-Cert',
  'Client-Cert-Chain',
  'Audit-Id',
  'Proxy-Authorization',
  'X-Http-Method-Override',
  'X-Original-Url',
  'X-App-User', // "set" of another route
] as const

// RFC 9110 §5.6.2, without letters, digits, "-", and "_" (with which Envoy refuses the request).
const SYMBOLS = "!#$%&'*+.^`|~".split('')

/** Every way in which one separator, or all of them, is another symbol. */
const lookAlikes = (name: string): readonly string[] => {
  const words = name.split('-')
  const places = words.slice(1).map((_, index) => index)
  const spelt = (isSymbol: (index: number) => boolean, symbol: string): string =>
    words.reduce((text, word, index) => text + (isSymbol(index - 1) ? symbol : '-') + word)
  return SYMBOLS.flatMap((symbol) => [
    ...places.map((place) => spelt((index) => index === place, symbol)),
    spelt(() => true, symbol),
  ])
}

const variableOf = (name: string): string =>
  `HTTP_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`

// Below the limit of Envoy, with what clients and authz add.
const BATCH = 60

const forged: readonly HeaderLine[] = [...new Set(NAMES.flatMap(lookAlikes))].map((name) => [
  name,
  'forged',
])

const batches = Array.from({ length: Math.ceil(forged.length / BATCH) }, (_, index) =>
  forged.slice(index * BATCH, (index + 1) * BATCH),
)

/**
 * A header that a server reads as another name, and that no upstream trusts: it shows that the server does.
 */
const HARMLESS: HeaderLine = ['x.harmless!header', 'here']

type Variables = Readonly<Record<string, string>>

/** What PHP has of the names; the id of the decision differs each time. */
const identityIn = (answer: Answer): Variables => {
  assert.equal(answer.status, 200, answer.body)
  const variables = variablesIn(answer)
  assert.equal(variables['HTTP_X_HARMLESS_HEADER'], 'here')
  const names = new Set(NAMES.map(variableOf))
  return Object.fromEntries(
    Object.entries(variables)
      .filter(([name]) => names.has(name))
      .map(([name, value]) => [name, value.replace(ID, 'ID')]),
  )
}

const ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/

/** An Envoy of the same site without some of its fields, and without the filter of a name. */
const envoyWithout = async (site: Site, field: string, filter = 'none'): Promise<Envoy> => {
  const dropped = (at: unknown): unknown => {
    if (Array.isArray(at)) return at.filter((item) => item?.name !== filter).map(dropped)
    if (typeof at !== 'object' || at === null) return at
    const members = Object.entries(at).filter(([key]) => key !== field)
    return Object.fromEntries(members.map(([key, member]) => [key, dropped(member)]))
  }
  const whole = parse(await bootstrapOf(site.files.config))
  const admin = { address: { pipe: { path: `${site.files.config}.admin` } } }
  return await startEnvoy({ bootstrap: stringify({ ...Object(dropped(whole)), admin }) })
}

describe(
  'headers whose names CGI takes for identity headers, through Envoy to PHP',
  { skip: skipWithoutEnvoy() || skipWithoutLighttpd() },
  () => {
    const stack = new AsyncDisposableStack()
    let site: Site
    before(async () => {
      const pki = stack.use(await createPki())
      const php = stack.use(await startLighttpd(pki.upstream, pki.ca))
      site = stack.use(
        await startSite({
          upstream: { address: `127.0.0.1:${php.port}`, ca: pki.ca, ...pki.frontProxy },
          routes: [
            {
              name: 'other',
              match: { hosts: ['other.example.org'] },
              forward: { set: { 'x-app-user': 'identity.user' } },
            },
          ],
        }),
      )
    })
    after(() => stack.disposeAsync())

    /** Sends all of them, and compares what arrives with what arrives without them. */
    const forge = async (send: typeof http1, target: Target): Promise<Variables> => {
      const ask = async (headers: readonly HeaderLine[]): Promise<Variables> => {
        const lines = [basic('bob', PASSWORDS.bob), HARMLESS, ...headers].map(
          ([name, value]): HeaderLine => [send === http2 ? name.toLowerCase() : name, value],
        )
        return identityIn(await send(target, { host: HOST, path: VARIABLES, headers: lines }))
      }
      const honest = await ask([])
      for (const batch of batches) assert.deepEqual(await ask(batch), honest)
      return honest
    }

    const BOB = { HTTP_X_REMOTE_USER: 'bob', HTTP_AUDIT_ID: 'ID' }

    for (const [version, send] of Object.entries({ http1, http2 })) {
      it(`reach no variable of PHP, in ${forged.length} spellings over ${version}`, async () => {
        const { HTTP_X_ENVOY_EXTERNAL_ADDRESS: _, ...identity } = await forge(send, site.target)
        assert.deepEqual(identity, BOB)
      })

      it(`are removed by authz where Envoy removes nothing, over ${version}`, async () => {
        await using envoy = await envoyWithout(site, 'early_header_mutation_extensions')
        const target = { ...site.target, port: await envoy.port() }
        const { HTTP_X_ENVOY_EXTERNAL_ADDRESS: _, ...identity } = await forge(send, target)
        assert.deepEqual(identity, BOB)
      })

      it(`are removed by Envoy where authz is not called, over ${version}`, async () => {
        await using envoy = await envoyWithout(site, 'typed_per_filter_config', EXT_AUTHZ)
        const target = { ...site.target, port: await envoy.port() }
        const { HTTP_X_ENVOY_EXTERNAL_ADDRESS: _, ...identity } = await forge(send, target)
        assert.deepEqual(identity, {})
      })
    }
  },
)
