// The floor: a gRPC server of authz with an authorizer that reads nothing and always says the same.

import { z } from 'zod'
import { GRPC_SERVERS } from '../../src/runtime/grpc/grpc-server.ts'
import { startGrpcServer } from '../../src/runtime/grpc/server.ts'
import { createLogger } from '../../src/runtime/logger.ts'
import { CHECK_METHOD } from '../method.ts'
import { answerQuestions } from './answer.ts'

const questionSchema = z.object({
  port: z.int(),
  answer: z.instanceof(Uint8Array),
  transport: z.enum(GRPC_SERVERS),
})

answerQuestions(async (message) => {
  const { port, answer, transport } = questionSchema.parse(message)
  await startGrpcServer({
    server: transport,
    address: { kind: 'tcp', host: '127.0.0.1', port },
    mode: 0o600,
    tls: undefined,
    methods: [{ path: CHECK_METHOD, handle: (_message, call) => call.answer(answer) }],
    grace: 0,
    logger: createLogger('error'),
  })
})
