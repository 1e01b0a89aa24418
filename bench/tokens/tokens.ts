// What a token of our own costs over identity headers: for callers who are known and whose token was
// made a moment ago, and for new ones.

import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { newGrantKeyLine } from '../../src/keys/grant-keys.ts'
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../src/keys/mint-schema.ts'
import { madeKey } from '../../test/fakes/signing-keys.ts'
import { writeSigningKeys } from '../../test/servers/signing-keys.ts'
import { issue, type Issued } from '../credentials/tokens.ts'
import type { Expectation } from '../expectation.ts'
import { Installation } from '../installation.ts'
import { checkEncoder, exchanges } from '../requests.ts'
import { measureInRounds, sentInAll, settle, type Summary } from '../rounds.ts'
import { prepare, type Row } from '../row.ts'
import { GROUPS, HEADERS_ROUTE, RULES, userNames } from '../site.ts'
import type { Size } from '../size.ts'
import type { Service } from '../service.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'

/** What tokens cost. */
export interface TokenCosts {
  readonly rows: readonly Summary[]
}

/** The row that the other rows are compared with. */
export const HEADERS = 'headers, known'

/** The same for callers who come for the first time. */
export const NEW_HEADERS = 'headers, new callers'

/** What is forwarded. */
interface Kind {
  readonly name: string
  readonly forward: object
  /** What is right for a user. */
  readonly expectationOf: (user: string) => Expectation
}

const minted = (algorithm: SigningAlgorithm): Kind => ({
  name: `token, ${algorithm}`,
  forward: { bearer: { mint: { audience: 'kubernetes', algorithm } } },
  expectationOf: (user) => ({ outcome: 'token', user, groups: GROUPS }),
})

// Seals certificate grants; no signer opens them here.
const KEYRING = newGrantKeyLine()

const KINDS: readonly Kind[] = [
  {
    name: 'headers',
    forward: { headers: 'kubernetes' },
    expectationOf: (user) => ({ outcome: 'allow', user, groups: GROUPS }),
  },
  ...SIGNING_ALGORITHMS.map(minted),
  {
    name: 'certificate handle',
    forward: {
      // So long that hardly anyone is given another certificate while the bench runs.
      certificate: {
        ca: 'bench',
        subject: { CN: 'identity.user', O: 'identity.groups' },
        lifetime: '12h',
      },
    },
    expectationOf: (user) => ({ outcome: 'certificate', user, groups: GROUPS, keyring: KEYRING }),
  },
]

const KNOWN_USERS = 32
// Each user on each path, twice.
const VARIETY = 320

/** Measures every kind, for known and for new callers. */
export const measureTokens = async (
  size: Size,
  progress: (text: string) => void,
): Promise<TokenCosts> => {
  await using installation = await Installation.open()
  progress('tokens: starting')
  const rows = await rowsOf(installation, size)
  progress('tokens: warming up')
  const settled = await settle(rows, size, undefined)
  return { rows: await measureInRounds(settled, HEADERS, size.rounds, progress) }
}

const rowsOf = async (installation: Installation, size: Size): Promise<readonly Row[]> => {
  const known = { requests: size.requests, concurrency: size.concurrency, alone: true }
  const fresh = { ...known, requests: Math.ceil(size.requests / 8) }
  const count = sentInAll(fresh, size)
  const users = userNames(KNOWN_USERS + KINDS.length * count)
  const issued = await issue(installation, 'ES256', users)
  const socket = installation.file('tokens.sock')
  const authz = await startAuthz(installation, issued, socket)
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  const rows: Row[] = []
  const add = async (
    name: string,
    kind: Kind,
    amount: Pick<Row, 'requests' | 'concurrency' | 'alone'>,
    sent: readonly string[],
    times: number,
  ): Promise<void> => {
    const row = { ...amount, name, load, target: name, authorizers: [authz.pid], envoy: undefined }
    await prepare(load, name, socket, 1, sentOf(kind, sent, times, issued))
    rows.push(row)
  }
  for (const [index, kind] of KINDS.entries()) {
    const start = KNOWN_USERS + index * count
    await add(`${kind.name}, known`, kind, known, users.slice(0, KNOWN_USERS), VARIETY)
    await add(`${kind.name}, new callers`, kind, fresh, users.slice(start, start + count), count)
  }
  return rows
}

const sentOf = (
  { name, expectationOf }: Kind,
  users: readonly string[],
  count: number,
  { tokens }: Issued,
): ReturnType<typeof exchanges> =>
  exchanges(
    count,
    users,
    checkEncoder({ ...HEADERS_ROUTE, name: routeOf(name) }),
    expectationOf,
    (user) => ({ headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]] }),
  )

const routeOf = (kind: string): string => kind.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')

const startAuthz = async (
  installation: Installation,
  { authenticator }: Issued,
  socket: string,
): Promise<Service> => {
  const keys = installation.file('signing-keys')
  await writeSigningKeys(keys, await Promise.all(SIGNING_ALGORITHMS.map((one) => madeKey(one))))
  const grantKeys = installation.file('grant-keys')
  await writeFile(grantKeys, `${KEYRING}\n`, { mode: 0o600 })
  const config = installation.file('tokens.yaml')
  const text = stringify({
    version: 1,
    listen: { authz: `unix:${socket}`, issuer: `unix:${installation.file('issuer.sock')}` },
    issuer: { url: 'https://id.example.org', keys },
    certificateGrants: { keyring: `file:${grantKeys}` },
    authenticators: { staff: authenticator('1h') },
    routes: KINDS.map(({ name, forward }) => ({
      name: routeOf(name),
      authenticate: ['staff'],
      authorize: RULES,
      forward,
    })),
    audit: { file: installation.file('tokens.jsonl') },
    log: { level: 'warn' },
  })
  await writeFile(config, text)
  return await installation.service({ command: 'authz', config })
}
