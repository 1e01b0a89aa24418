// The third part of the bench: what a check costs with each kind of credential, known and proven
// anew. One authz takes them all, each by a route of its own, so that nothing else is different.

import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { Installation } from '../installation.ts'
import { checkEncoder, exchanges } from '../requests.ts'
import { measureInRounds, sentInAll, settle, type Summary } from '../rounds.ts'
import { prepare, type Row } from '../row.ts'
import { GROUPS, HEADERS_ROUTE, RULES, userNames } from '../site.ts'
import type { Size } from '../size.ts'
import type { Service } from '../service.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import { ANONYMOUS, anonymous } from './anonymous.ts'
import { apiKeys } from './api-keys.ts'
import { askedCertificates, clientCertificates, listedCertificates } from './certificates.ts'
import { introspection, tokenReview } from './judged-tokens.ts'
import { ldap, radius, usersFile } from './passwords.ts'
import type { Scheme, Skipped, StartScheme } from './scheme.ts'
import { certificateAndToken } from './several.ts'
import { boundTokens, signedTokens } from './tokens.ts'

const SCHEMES: readonly StartScheme[] = [
  anonymous,
  apiKeys,
  usersFile,
  ldap,
  radius,
  signedTokens('ES256'),
  signedTokens('EdDSA'),
  signedTokens('RS256'),
  signedTokens('PS256'),
  boundTokens,
  introspection,
  tokenReview,
  clientCertificates,
  listedCertificates,
  askedCertificates,
  certificateAndToken,
]

/** What credentials cost. */
export interface CredentialCosts {
  readonly rows: readonly Summary[]
  readonly skipped: readonly Skipped[]
}

/** The rows, and the authz that they all ask. */
export interface CredentialRows {
  readonly rows: readonly Row[]
  /** Those of them in which nothing is proven, except what is proven with every request. */
  readonly known: readonly Row[]
  readonly skipped: readonly Skipped[]
  readonly authz: Service
}

// Twice as many users as there are requests at a time, so that hardly two show the same credential
// at once: one proof would be shared.
const USERS = 32
// Each user on each path, twice.
const VARIETY = 320

/** Measures every kind of credential that is available here. */
export const measureCredentials = async (
  size: Size,
  progress: (text: string) => void,
): Promise<CredentialCosts> => {
  await using installation = await Installation.open()
  const { rows, skipped } = await credentialRows(installation, size, {
    progress,
    inside: false,
  })
  progress('credentials: warming up')
  const settled = await settle(rows, size, undefined)
  return { rows: await measureInRounds(settled, ANONYMOUS, size.rounds, progress), skipped }
}

/** Starts what every kind of credential needs, and prepares the rows; `inside` as of `ServiceOptions`. */
export const credentialRows = async (
  installation: Installation,
  size: Size,
  { progress, inside }: { readonly progress: (text: string) => void; readonly inside: boolean },
): Promise<CredentialRows> => {
  const users = userNames(USERS)
  const started: (Scheme | Skipped)[] = []
  for (const [index, start] of SCHEMES.entries()) {
    progress(`credentials: starting ${index + 1} of ${SCHEMES.length}`)
    started.push(await start(installation, users))
  }
  const variants = started.flatMap((scheme) => ('reason' in scheme ? [] : variantsOf(scheme)))
  const socket = installation.file('credentials.sock')
  const authz = await startAuthz(installation, variants, { socket, inside })
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  const rows: Row[] = []
  for (const [index, variant] of variants.entries()) {
    const { scheme, name } = variant
    const amount = amountOf(variant, size)
    const row = { ...amount, name, load, target: name, authorizers: [authz.pid], envoy: undefined }
    const count = scheme.once === true ? sentInAll(row, size) : VARIETY
    await prepare(load, name, socket, 1, sentOf(scheme, index, users, count))
    rows.push(row)
  }
  const known = rows.filter((_, index) => variants[index]?.proofs === 'none')
  return { rows, known, skipped: started.filter((scheme) => 'reason' in scheme), authz }
}

/** A scheme with or without memory. */
interface Variant {
  readonly scheme: Scheme
  readonly name: string
  readonly cacheTtl: string
  readonly proofs: Scheme['proofs'] | 'none'
}

const variantsOf = (scheme: Scheme): readonly Variant[] => {
  const { name, proofs } = scheme
  return scheme.remembers
    ? [
        { scheme, name: `${name}: known`, cacheTtl: '1h', proofs: 'none' },
        { scheme, name: `${name}: proven anew`, cacheTtl: '0s', proofs },
      ]
    : [{ scheme, name, cacheTtl: '0s', proofs: 'none' }]
}

/** So much that all of it takes a minute or two. */
const amountOf = (
  { scheme, proofs }: Variant,
  { requests, coldRequests, concurrency }: Size,
): Pick<Row, 'requests' | 'concurrency' | 'alone'> => {
  const alone = true
  switch (proofs) {
    case 'none':
      return { requests: Math.ceil(requests / (scheme.once === true ? 8 : 3)), concurrency, alone }
    case 'many':
      return { requests: Math.ceil(requests / 8), concurrency, alone }
    case 'few':
      // One at a time: the cost of one is measured, not the length of the queue.
      return { requests: coldRequests, concurrency: 1, alone: false }
  }
}

const sentOf = (
  { credential, user: everyone }: Scheme,
  variant: number,
  users: readonly string[],
  count: number,
): ReturnType<typeof exchanges> =>
  exchanges(
    count,
    users,
    checkEncoder({ ...HEADERS_ROUTE, name: routeOf(variant) }),
    (user) => ({ outcome: 'allow', user: everyone ?? user, groups: GROUPS }),
    credential,
  )

const startAuthz = async (
  installation: Installation,
  variants: readonly Variant[],
  { socket, inside }: { readonly socket: string; readonly inside: boolean },
): Promise<Service> => {
  const config = installation.file('credentials.yaml')
  const audit = installation.file('credentials.jsonl')
  await writeFile(config, configuration(variants, { socket, audit }))
  return await installation.service({ command: 'authz', config, inside })
}

const routeOf = (variant: number): string => `scheme-${variant}`

const configuration = (
  variants: readonly Variant[],
  { socket, audit }: { readonly socket: string; readonly audit: string },
): string => {
  const published = variants.map(({ scheme, cacheTtl }, index) => {
    const name = routeOf(index)
    const authenticators = scheme
      .authenticators(cacheTtl)
      .map((authenticator, place) => [`${name}-${place}`, authenticator] as const)
    const names = authenticators.map(([authenticator]) => authenticator)
    const authenticate = names.length === 1 ? names : [{ all: names, sameUser: true }]
    const route = { name, authenticate, authorize: RULES, forward: { headers: 'kubernetes' } }
    return { authenticators, route }
  })
  return stringify({
    version: 1,
    listen: { authz: `unix:${socket}` },
    authenticators: Object.fromEntries(published.flatMap(({ authenticators }) => authenticators)),
    routes: published.map(({ route }) => route),
    audit: { file: audit },
    log: { level: 'warn' },
  })
}
