// The floor: authz' gRPC server with an authorizer that reads nothing and always says the same.

import { z } from 'zod'
import { startGrpcServer } from '../../src/runtime/grpc/server.ts'
import { CHECK_METHOD } from '../method.ts'
import { answerQuestions } from './answer.ts'

const questionSchema = z.object({ path: z.string(), answer: z.instanceof(Uint8Array) })

answerQuestions(async (message) => {
  const { path, answer } = questionSchema.parse(message)
  await startGrpcServer({
    address: { kind: 'unix', path },
    mode: 0o600,
    tls: undefined,
    methods: [{ path: CHECK_METHOD, handle: (_message, call) => call.answer(answer) }],
    grace: 0,
  })
})
