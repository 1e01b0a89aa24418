// A Countersign that has lived: what a check costs after many reloads, next to a process that has had none.

import type { Issued } from '../credentials/tokens.ts'
import { loadResultSchema } from '../expectation.ts'
import { checkEncoder, exchanges } from '../requests.ts'
import { prepare } from '../row.ts'
import { HEADERS_ROUTE } from '../site.ts'
import { LOAD_OPTIONS, Worker } from '../worker.ts'
import { COUNTERSIGN, startCountersign } from './countersign.ts'
import { SCENARIOS } from './direct.ts'
import type { StartServer } from './server.ts'

const RELOADS = 100

/** As the tables name it. */
export const AGED = `${COUNTERSIGN} after ${RELOADS} reloads`

// After each, so that every configuration has decided.
const CHECKS = 100

/** Starts it, and reloads it so often. Each reload empties the credential cache. */
export const agedCountersign: StartServer = async (installation, issued) => {
  const options = { name: AGED, file: 'aged' }
  const server = await startCountersign(installation, issued, options)
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  await prepare(load, AGED, server.port, 1, sent(issued, server.expectationOf))
  for (let reload = 0; reload < RELOADS; reload++) {
    await server.worker.reload()
    const question = { do: 'run', target: AGED, requests: CHECKS, concurrency: 16 }
    await load.ask(question, loadResultSchema)
  }
  return { ...server, only: [SCENARIOS.same, SCENARIOS.many] }
}

const sent = (
  { tokens }: Issued,
  expectationOf: Parameters<typeof exchanges>[3],
): ReturnType<typeof exchanges> => {
  const users = [...tokens.keys()].slice(0, CHECKS)
  return exchanges(CHECKS, users, checkEncoder(HEADERS_ROUTE), expectationOf, (user) => ({
    headers: [['authorization', `Bearer ${tokens.get(user) ?? ''}`]],
  }))
}
