// The third part of the bench: what proving a credential costs, known and unknown, for each kind.
// One authz takes them all, each by a route of its own, so that nothing else is different.

import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { z } from 'zod'
import { Installation } from '../installation.ts'
import { checkEncoder, exchanges } from '../requests.ts'
import { measureInRounds, settle, type Summary } from '../rounds.ts'
import { prepare, type Row } from '../row.ts'
import { HEADERS_ROUTE, RULES, userNames } from '../site.ts'
import type { Size } from '../size.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import { usersFile } from './passwords.ts'
import type { Scheme, StartScheme } from './scheme.ts'
import { signedTokens } from './tokens.ts'

const SCHEMES: readonly StartScheme[] = [usersFile, signedTokens('ES256'), signedTokens('RS256')]

/** What credentials cost. */
export interface CredentialCosts {
  readonly rows: readonly Summary[]
  readonly skipped: readonly { readonly name: string; readonly skipped: string }[]
}

const VARIETY = 512
const USERS = 16

/** Measures every kind of credential that can be had here. */
export const measureCredentials = async (
  size: Size,
  progress: (text: string) => void,
): Promise<CredentialCosts> => {
  await using installation = await Installation.open()
  const users = userNames(USERS)
  const started: Awaited<ReturnType<StartScheme>>[] = []
  for (const start of SCHEMES) {
    progress('credentials: starting')
    // oxlint-disable-next-line no-await-in-loop -- one server after another
    started.push(await start(installation, users))
  }
  const variants = started.flatMap((scheme) => ('skipped' in scheme ? [] : variantsOf(scheme)))
  const rows = await rowsOf(installation, variants, users, size)
  const settled = await settle(rows, size, undefined)
  return {
    rows: await measureInRounds(settled, rows[0]?.name ?? '', size.rounds, progress),
    skipped: started.flatMap((scheme) => ('skipped' in scheme ? [scheme] : [])),
  }
}

/** A scheme with or without memory. */
interface Variant {
  readonly scheme: Scheme
  readonly name: string
  readonly remember: string
  readonly proofs: Scheme['proofs'] | 'none'
}

const variantsOf = (scheme: Scheme): readonly Variant[] =>
  scheme.remembers
    ? [
        { scheme, name: `${scheme.name}: remembered`, remember: '1h', proofs: 'none' },
        { scheme, name: `${scheme.name}: proven`, remember: '0s', proofs: scheme.proofs },
      ]
    : [{ scheme, name: scheme.name, remember: '0s', proofs: scheme.proofs }]

const rowsOf = async (
  installation: Installation,
  variants: readonly Variant[],
  users: readonly string[],
  { requests, coldRequests, concurrency }: Size,
): Promise<readonly Row[]> => {
  const socket = installation.file('credentials.sock')
  const config = installation.file('credentials.yaml')
  const audit = installation.file('credentials.jsonl')
  await writeFile(config, configuration(variants, { socket, audit }))
  const authz = installation.use(new Worker('authz'))
  await authz.ask({ do: 'start', file: config }, z.undefined())
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  for (const [index, { scheme, name }] of variants.entries()) {
    const encode = checkEncoder({ ...HEADERS_ROUTE, name: routeOf(index) })
    const sent = exchanges(VARIETY, users, encode, undefined, (user) => scheme.credential(user))
    // oxlint-disable-next-line no-await-in-loop -- the generator takes one at a time
    await prepare(load, name, socket, 1, sent)
  }
  const amounts = {
    none: { requests, concurrency },
    many: { requests: Math.ceil(requests / 4), concurrency },
    // One at a time: what is asked for is the cost of one, not the length of the queue.
    few: { requests: coldRequests, concurrency: 1 },
  } as const
  return variants.map(({ name, proofs }) => ({
    ...amounts[proofs],
    name,
    load,
    target: name,
    authorizer: authz.pid,
    envoy: undefined,
  }))
}

const routeOf = (index: number): string => `scheme-${index}`

const configuration = (
  variants: readonly Variant[],
  { socket, audit }: { readonly socket: string; readonly audit: string },
): string =>
  stringify({
    version: 1,
    listen: { authz: `unix:${socket}` },
    authenticators: Object.fromEntries(
      variants.map(({ scheme, remember }, index) => [
        routeOf(index),
        scheme.authenticator(remember),
      ]),
    ),
    routes: variants.map((_, index) => ({
      name: routeOf(index),
      authenticate: [routeOf(index)],
      authorize: RULES,
      forward: { headers: 'kubernetes' },
    })),
    audit: { file: audit },
    log: { level: 'warn' },
  })
