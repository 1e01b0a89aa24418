// The floor: a gRPC server of authz with an authorizer that reads nothing and always says the same.

import { z } from 'zod'
import { startGrpcServer } from '../../src/runtime/grpc/server.ts'
import { CHECK_METHOD } from '../method.ts'
import { answerQuestions } from './answer.ts'

// Every server that authz can have.
const SERVERS = { 'grpc-js': startGrpcServer } as const

const questionSchema = z.object({
  port: z.int(),
  answer: z.instanceof(Uint8Array),
  transport: z.literal('grpc-js'),
})

answerQuestions(async (message) => {
  const { port, answer, transport } = questionSchema.parse(message)
  await SERVERS[transport]({
    address: { kind: 'tcp', host: '127.0.0.1', port },
    mode: 0o600,
    tls: undefined,
    methods: [{ path: CHECK_METHOD, handle: (_message, call) => call.answer(answer) }],
    grace: 0,
  })
})
