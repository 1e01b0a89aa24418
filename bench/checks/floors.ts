// The floors: servers that read nothing and always answer the same, and one that does the least that a
// verification of tokens takes.

import { writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { DECISION_HEADER } from '../../src/check/answer/answer.ts'
import { encodeCheckResponse } from '../../src/check/codec.ts'
import { authorizationService } from '../../src/proto/load.ts'
import type { CheckResponse } from '../../src/proto/generated/envoy/service/auth/v3/CheckResponse.ts'
import { freePort } from '../../test/servers/ports.ts'
import { AUDIENCE, ISSUER } from '../credentials/tokens.ts'
import type { Expectation } from '../expectation.ts'
import type { Installation } from '../installation.ts'
import { GROUPS } from '../site.ts'
import { Worker } from '../worker.ts'
import { buildFloor } from './go-program.ts'
import { startProgram, type CheckServer, type MissingServer, type StartServer } from './server.ts'
import { ENVOY_SCENARIOS } from './through-envoy.ts'

/** The user that a no-op lets everyone be. */
const NO_OP_USER = 'anyone'

const anyone = (): Expectation => ({ outcome: 'allow', user: NO_OP_USER, groups: [] })

/** As the tables name them. */
export const FLOORS = {
  builtIn: 'no-op on the built-in server',
  grpcJs: 'no-op on grpc-js',
  grpcGo: 'no-op on grpc-go',
  grpcGoSame: 'no-op on grpc-go, the answer of Countersign',
  verifier: 'grpc-go, ES256 by golang-jwt',
} as const

const NO_OP_ANSWER: CheckResponse = {
  status: { code: 0 },
  ok_response: {
    headers: [
      {
        header: { key: 'x-remote-user', value: NO_OP_USER },
        append: { value: false },
        append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
      },
    ],
    headers_to_remove: ['authorization'],
  },
}

/** The no-op on a gRPC server of this project, in a process of its own. */
const noOpOn =
  (name: string, transport: string): StartServer =>
  async (installation) => {
    const port = await freePort()
    const worker = installation.use(new Worker('no-op'))
    const answer = authorizationService.Check.responseSerialize(NO_OP_ANSWER)
    await worker.ask({ port, answer, transport }, z.undefined())
    return {
      name,
      pids: [worker.pid],
      port,
      verifies: false,
      rawHeaders: true,
      expectationOf: anyone,
    }
  }

/** The no-op on the server that authz has by default. */
export const builtInNoOp: StartServer = noOpOn(FLOORS.builtIn, 'built-in')

/** The no-op on the reference implementation of that server. */
export const grpcJsNoOp: StartServer = noOpOn(FLOORS.grpcJs, 'grpc-js')

/** The no-op on grpc-go. */
export const grpcGoNoOp: StartServer = async (installation) =>
  await startNoOp(installation, FLOORS.grpcGo, [])

const DECISION = '3c412f36-ef6a-4d46-be46-42b322f0b693'

/**
 * The same with an answer as Countersign gives it: user, groups, the id of the decision, and the time that the credential has left. What
 * Envoy does with it costs as much for both.
 */
export const grpcGoSameAnswer: StartServer = async (installation) => {
  const file = installation.file('answer')
  const answer = encodeCheckResponse({
    allow: true,
    setHeaders: [
      ['x-remote-user', NO_OP_USER],
      ['audit-id', DECISION],
      ['x-envoy-upstream-stream-duration-ms', '43196216'],
    ],
    removeHeaders: ['authorization'],
    repeatedHeaders: [{ name: 'x-remote-group', values: GROUPS }],
    responseHeaders: [[DECISION_HEADER, DECISION]],
  })
  await writeFile(file, answer)
  const server = await startNoOp(installation, FLOORS.grpcGoSame, ['-answer', file])
  return 'reason' in server ? server : { ...server, only: Object.values(ENVOY_SCENARIOS) }
}

const startNoOp = async (
  installation: Installation,
  name: string,
  args: readonly string[],
): Promise<CheckServer | MissingServer> => {
  const program = await buildFloor()
  if ('reason' in program) return { name, ...program }
  const port = await freePort()
  const started = await startProgram(installation, program.path, port, [
    '-mode',
    'noop',
    '-user',
    NO_OP_USER,
    '-listen',
    `127.0.0.1:${port}`,
    ...args,
  ])
  return { name, ...started, verifies: false, rawHeaders: true, expectationOf: anyone }
}

/** The verifier on grpc-go: it caches nothing and writes no audit log. */
export const grpcGoVerifier: StartServer = async (installation, { keySet }) => {
  const name = FLOORS.verifier
  const program = await buildFloor()
  if ('reason' in program) return { name, ...program }
  const port = await freePort()
  const started = await startProgram(installation, program.path, port, [
    '-mode',
    'verify',
    '-keys',
    keySet,
    '-issuer',
    ISSUER,
    '-audience',
    AUDIENCE,
    '-listen',
    `127.0.0.1:${port}`,
  ])
  return {
    name,
    ...started,
    verifies: true,
    rawHeaders: true,
    expectationOf: (user) => ({ outcome: 'allow', user, groups: GROUPS, groupsIn: 'headers' }),
  }
}
