// Several processes of authz, each with a connection of its own: whether a check costs as much as with one.

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
  for (const count of COUNTS) {
    const name = nameOf(count)
    const taking = all.slice(0, count)
    const ports = taking.map(({ port }) => port)
    await prepare(load, name, ports, 1, sent)
    rows.push({
      name,
      load,
      target: name,
      requests: Number.MAX_SAFE_INTEGER,
      seconds: size.scenarioSeconds,
      // As many for each: fewer at a time share a read and a write.
      concurrency: size.inFlight * count,
      alone: false,
      authorizers: taking.map(({ worker }) => worker.pid),
      envoy: undefined,
    })
  }
  const settled = await settle(rows, size, undefined)
  return await measureInRounds(settled, nameOf(1), size.rounds, progress)
}

const COUNTS = [1, 2] as const

const nameOf = (count: number): string => (count === 1 ? 'one process' : `${count} processes`)
