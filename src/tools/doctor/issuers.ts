// Issuers of tokens and upstream IdPs: their metadata and keys.

import { keyFetcher, type KeySource } from '../../authenticate/bearer/key-source.ts'
import { discover, discoveryUrl, locationIn, trustedUrl } from '../../clients/discovery.ts'
import { jsonFetcher, type FetchJson } from '../../clients/fetch-json.ts'
import { fileOf, ok, type Bench, type Examination, type Judgement } from './examination.ts'
import { timedFetch } from './timed-fetch.ts'

/** The examinations of every issuer. */
export const issuerExaminations = (bench: Bench): readonly Examination[] => {
  const { authenticators, issuer } = bench.config
  return [
    ...Object.entries(authenticators).flatMap(([name, { bearer }]) => keysOf(name, bearer, bench)),
    ...Object.entries(issuer?.login?.providers ?? {}).map(([id, provider]) =>
      providerOf(id, provider, bench),
    ),
  ]
}

type Bearer = Bench['config']['authenticators'][string]['bearer']
type Provider = NonNullable<NonNullable<Bench['config']['issuer']>['login']>['providers'][string]

const NO_KEY = 'Check "issuer" and "keys", and that the issuer publishes keys for signatures'

const keysOf = (name: string, bearer: Bearer, bench: Bench): readonly Examination[] => {
  if (bearer === undefined || bearer.keys.file !== undefined) return []
  const { issuer, keys } = bearer
  // authz has the keys of its own issuer.
  if (keys.url === undefined && issuer === bench.config.issuer?.url) return []
  const source: KeySource =
    keys.url === undefined ? { kind: 'discovery', issuer } : { kind: 'url', url: keys.url }
  return [
    {
      area: 'keys',
      target: keys.url ?? issuer,
      path: ['authenticators', name, 'bearer'],
      ask: async (signal) => {
        const ca = await fileOf(keys.ca, bench)
        const url = source.kind === 'url' ? trustedUrl(source.url) : discoveryUrl(issuer)
        await timedFetch(bench, { ca })(url, { maxBytes: LARGEST }, signal) // for its clock alone
        const { keys: found } = await keyFetcher(source, jsonFetcher(ca))(signal)
        return found.size > 0
          ? ok(`${found.size} ${found.size === 1 ? 'key' : 'keys'}`)
          : {
              outcome: 'error',
              message: 'publishes no key that can verify a token',
              remedy: NO_KEY,
            }
      },
    },
  ]
}

const LARGEST = 1_048_576

const providerOf = (id: string, { issuer, ca }: Provider, bench: Bench): Examination => ({
  area: 'idp',
  target: issuer,
  path: ['issuer', 'login', 'providers', id],
  ask: async (signal) => {
    const authorities = await fileOf(ca, bench)
    const url = discoveryUrl(issuer)
    await timedFetch(bench, { ca: authorities })(url, { maxBytes: LARGEST }, signal)
    return await readMetadata(issuer, url, jsonFetcher(authorities), signal)
  },
})

const readMetadata = async (
  issuer: string,
  url: URL,
  fetchJson: FetchJson,
  signal: AbortSignal,
): Promise<Judgement> => {
  const discovery = await discover(issuer, url, fetchJson, signal)
  for (const member of ['authorization_endpoint', 'token_endpoint', 'jwks_uri']) {
    locationIn(discovery, member)
  }
  return ok('its metadata are there; no login was tried')
}
