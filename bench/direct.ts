// Rows 1 to 4: checks straight over gRPC, as Envoy would send them.

import { type Authorizer, type Installation, NO_OP_USER } from './installation.ts'
import { checkEncoder, exchanges } from './requests.ts'
import { prepare, type Row } from './row.ts'
import { userNames } from './site.ts'
import type { Size } from './size.ts'
import { LOAD_OPTIONS, Worker } from './worker.ts'

/** The name of the row that all CPU times are compared with. */
export const FLOOR = 'no-op over gRPC'

/** The name of the row that `--profile` looks into. */
export const REMEMBERED = 'check over gRPC, Basic remembered'

// Different requests, so that nothing is fast just because it is always the same.
const VARIETY = 512
const USERS = 16

/** The rows, and the authorizers behind them. */
export interface DirectRows {
  readonly rows: readonly Row[]
  readonly noOp: Authorizer
  readonly authz: Authorizer
}

/** Starts the authorizers and prepares the rows. */
export const directRows = async (
  installation: Installation,
  { requests, coldRequests, concurrency }: Size,
): Promise<DirectRows> => {
  const users = await installation.users(USERS, 'usual')
  const [noOp, authz, cold] = await Promise.all([
    installation.noOp(),
    installation.authz({ name: 'authz', users, cacheTtl: '1h' }),
    installation.authz({ name: 'cold', users, cacheTtl: '0s' }),
  ])
  const load = installation.use(new Worker('grpc-load', LOAD_OPTIONS))
  const encode = checkEncoder()
  const names = userNames(USERS)
  const allowed = exchanges(VARIETY, names, encode)
  const anyone = exchanges(VARIETY, names, encode, () => ({
    outcome: 'allow',
    user: NO_OP_USER,
    groups: [],
  }))
  const refused = Array.from({ length: VARIETY }, (_, index) => ({
    bytes: encode(index, 'none'),
    expectation: { outcome: 'deny', status: 'Unauthorized' } as const,
  }))
  await prepare(load, FLOOR, noOp.socket, 1, anyone)
  await prepare(load, 'remembered', authz.socket, 1, allowed)
  await prepare(load, 'refused', authz.socket, 1, refused)
  await prepare(load, 'cold', cold.socket, 1, allowed)
  const common = { load, requests, concurrency, envoy: undefined }
  return {
    noOp,
    authz,
    rows: [
      { ...common, name: FLOOR, target: FLOOR, authorizer: noOp.worker.pid },
      { ...common, name: REMEMBERED, target: 'remembered', authorizer: authz.worker.pid },
      {
        ...common,
        name: 'check over gRPC, refused (no credential)',
        target: 'refused',
        authorizer: authz.worker.pid,
      },
      {
        ...common,
        name: 'check over gRPC, Basic not remembered (argon2id)',
        target: 'cold',
        authorizer: cold.worker.pid,
        requests: coldRequests,
        // One at a time: the cost of one is measured, not the length of the queue.
        concurrency: 1,
      },
    ],
  }
}
