// Several processes of authz, each with a connection of its own: whether a check costs as much as with one. At a fixed
// rate for each that leaves the cores idle for half of the time: saturated, two processes and the generator on two cores take each
// other's caches, which is a property of the machine.

import { startCountersign } from './checks/countersign.ts'
import { issue } from './credentials/tokens.ts'
import { Installation } from './installation.ts'
import { checkEncoder, exchanges } from './requests.ts'
import { measureInRounds, settle, type Summary } from './rounds.ts'
import { prepare, type Row } from './row.ts'
import { userNames } from './site.ts'
import type { Size } from './size.ts'
import { LOAD_OPTIONS, Worker } from './worker.ts'

// An odd number, so that every process gets every token in turn.
const USERS = 333
const PER_SECOND = 2_000

/** The rows: of each kind, those of one process and of two. */
export const PROCESS_ROWS = {
  paced: ['2,000/s: one process', '2,000/s each: 2 processes'],
  saturated: ['saturated: one process', 'saturated: 2 processes'],
} as const

/** Measures it, in processes of their own. */
export const measureProcesses = async (
  size: Size,
  progress: (text: string) => void,
): Promise<readonly Summary[]> => {
  await using installation = await Installation.open()
  progress('processes: starting')
  const issued = await issue(installation, 'ES256', userNames(USERS))
  const most = Math.max(...COUNTS)
  const all = await Promise.all(
    Array.from({ length: most }, (_, index) =>
      startCountersign(installation, issued, { name: `${index}`, file: `process-${index}` }),
    ),
  )
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  const sent = exchanges(USERS, userNames(USERS), checkEncoder(), undefined, (user) => ({
    headers: [['authorization', `Bearer ${issued.tokens.get(user) ?? ''}`]],
  }))
  const rows: Row[] = []
  for (const kind of ['paced', 'saturated'] as const) {
    for (const [index, count] of COUNTS.entries()) {
      const name = PROCESS_ROWS[kind][index] ?? ''
      const taking = all.slice(0, count)
      const ports = taking.map(({ port }) => port)
      await prepare(load, name, ports, 1, sent)
      const authorizers = taking.map(({ worker }) => worker.pid)
      const common = { name, load, target: name, alone: false, authorizers, envoy: undefined }
      rows.push({ ...common, ...amountOf(kind, count, size) })
    }
  }
  const settled = await settle(rows, size, undefined)
  const floor = ({ name }: Row): string =>
    Object.values(PROCESS_ROWS).find((kind) => kind.some((row) => row === name))?.[0] ?? name
  return await measureInRounds(settled, floor, size.rounds, progress)
}

const COUNTS = [1, 2] as const

const amountOf = (
  kind: keyof typeof PROCESS_ROWS,
  count: number,
  { inFlight, pacedSeconds, scenarioSeconds }: Size,
): Pick<Row, 'requests' | 'seconds' | 'concurrency' | 'perSecond'> => {
  // As many for each: fewer at a time share a read and a write.
  const concurrency = inFlight * count
  const perSecond = PER_SECOND * count
  return kind === 'paced'
    ? { concurrency, perSecond, requests: Math.ceil(perSecond * pacedSeconds) }
    : { concurrency, seconds: scenarioSeconds, requests: Number.MAX_SAFE_INTEGER }
}
