// The floor: authz' gRPC server with an authorizer that reads nothing and always says the same.

import { z } from 'zod'
import { startGrpcServer } from '../../src/runtime/grpc/server.ts'
import { CHECK_METHOD } from '../method.ts'
import { answerQuestions } from './answer.ts'

const questionSchema = z.object({ path: z.string(), answer: z.instanceof(Uint8Array) })

const asBytes = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const definition = {
  Check: {
    path: CHECK_METHOD,
    requestStream: false,
    responseStream: false,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  },
} as const

answerQuestions(async (message) => {
  const { path, answer } = questionSchema.parse(message)
  const encoded = asBytes(answer)
  await startGrpcServer({
    address: { kind: 'unix', path },
    mode: 0o600,
    tls: undefined,
    services: [
      {
        definition,
        // No wrapper: whatever `unary` costs is a cost of Countersign.
        implementation: {
          Check: (_call: unknown, reply: (error: null, value: Buffer) => void) =>
            reply(null, encoded),
        },
      },
    ],
    grace: 0,
  })
})
