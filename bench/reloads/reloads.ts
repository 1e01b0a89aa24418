// What callers notice of a reload: 1,000 checks a second while a long configuration, a long users file or a long
// CRL is read anew.

import { setTimeout as sleep } from 'node:timers/promises'
import { writeFile } from 'node:fs/promises'
import { describeError } from '../../src/runtime/errors.ts'
import { createAuthority } from '../../test/servers/pki.ts'
import { startCountersign, type CountersignOptions } from '../checks/countersign.ts'
import { issue, type Issued } from '../credentials/tokens.ts'
import { loadResultSchema, type LoadResult } from '../expectation.ts'
import { Installation } from '../installation.ts'
import { SHAPES } from '../policy/shapes.ts'
import { checkEncoder, exchanges } from '../requests.ts'
import { prepare } from '../row.ts'
import { RULES, userNames } from '../site.ts'
import type { Size } from '../size.ts'
import { median } from '../statistics.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import { longCrl } from './crl.ts'

/** What one kind of reload comes to: milliseconds. */
interface ReloadCost {
  readonly name: string
  /** The longest that a check waited: medians of the rounds, as everything. */
  readonly longest: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** How long the reload took. */
  readonly reload: number
  /** Each round. */
  readonly rounds: readonly Round[]
}

/** What could not be measured. */
interface FailedReload {
  readonly name: string
  readonly reason: string
}

/** All kinds. */
export interface ReloadCosts {
  readonly rows: readonly ReloadCost[]
  readonly failed: readonly FailedReload[]
}

interface Round {
  readonly reload: number
  readonly load: LoadResult
}

/** What is long in a configuration. */
interface Kind {
  readonly name: string
  readonly options: (
    installation: Installation,
  ) => Promise<Omit<CountersignOptions, 'name' | 'file'>>
}

const USERS = 32
const VARIETY = 320
const PER_SECOND = 1_000
// Before and after the reload.
const MARGIN_MS = 500

const kindsOf = ({ reloadRules, reloadUsers, crlEntries }: Size): readonly Kind[] => [
  { name: 'three rules', options: async () => ({}) },
  {
    name: `${thousands(reloadRules)} rules`,
    options: async () => ({ rules: [...RULES, ...manyRules(reloadRules)] }),
  },
  {
    name: `a users file of ${thousands(reloadUsers)}`,
    options: async (installation) => {
      const file = await installation.users(reloadUsers, 'cheapest')
      return { authenticators: { staff: { basic: { verify: [{ users: { file } }] } } } }
    },
  },
  {
    name: `a CRL of ${thousands(crlEntries)} entries`,
    options: async (installation) => {
      const authority = installation.use(await createAuthority('Countersign client bench CA'))
      const file = installation.file('long.crl')
      await writeFile(file, await longCrl(authority, crlEntries))
      const revocation = { crl: { files: [file] } }
      return { authenticators: { people: { certificate: { trust: authority.ca, revocation } } } }
    },
  },
]

const thousands = (count: number): string => count.toLocaleString('en')

const manyRules = (count: number): readonly object[] => {
  const shape = SHAPES.find(({ name }) => name.startsWith('by path, with named'))
  if (shape === undefined) throw new Error('no such shape of rules')
  return shape.rules(count)
}

/** Measures every kind. */
export const measureReloads = async (
  size: Size,
  progress: (text: string) => void,
): Promise<ReloadCosts> => {
  const rows: ReloadCost[] = []
  const failed: FailedReload[] = []
  for (const kind of kindsOf(size)) {
    progress(`reloads: ${kind.name}`)
    await using installation = await Installation.open()
    try {
      rows.push(await measureKind(installation, kind, size))
    } catch (cause) {
      // A configuration that it does not take is a result, too.
      failed.push({ name: kind.name, reason: describeError(cause).split('\n')[0] ?? '' })
    }
  }
  return { rows, failed }
}

const measureKind = async (
  installation: Installation,
  { name, options }: Kind,
  { reloadRounds }: Size,
): Promise<ReloadCost> => {
  const issued = await issue(installation, 'ES256', userNames(USERS))
  const { worker, port } = await startCountersign(installation, issued, {
    name,
    file: 'reloads',
    ...(await options(installation)),
  })
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  await prepare(load, name, port, 1, sentBy(issued))
  const warmUp = { do: 'run', target: name, requests: WARM_UP, concurrency: USERS }
  await load.ask(warmUp, loadResultSchema)
  // So that the load lasts as long as a reload does.
  const first = await worker.reload()
  const seconds = Math.ceil((2 * MARGIN_MS + 2 * first) / 1_000) + 1
  const rounds: Round[] = []
  for (let round = 0; round < reloadRounds; round++) {
    const question = {
      do: 'pace',
      target: name,
      requests: seconds * PER_SECOND,
      perSecond: PER_SECOND,
    }
    const [result, reload] = await Promise.all([
      load.ask(question, loadResultSchema),
      sleep(MARGIN_MS).then(() => worker.reload()),
    ])
    rounds.push({ reload, load: result })
  }
  const middle = (of: (round: Round) => number): number => median(rounds.map(of))
  return {
    name,
    longest: middle((round) => round.load.max),
    p50: middle((round) => round.load.p50),
    p99: middle((round) => round.load.p99),
    p999: middle((round) => round.load.p999),
    reload: middle((round) => round.reload),
    rounds,
  }
}

const WARM_UP = 2_000

const sentBy = ({ tokens }: Issued): ReturnType<typeof exchanges> =>
  exchanges(VARIETY, [...tokens.keys()], checkEncoder(), undefined, (user) => ({
    headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]],
  }))
