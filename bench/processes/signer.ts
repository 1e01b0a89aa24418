// The real signer, and what the bench wants to know of it from inside.

import { z } from 'zod'
import { startSigner } from '../../src/signer.ts'
import { answerQuestions } from './answer.ts'
import { collect } from './collect.ts'

const questionSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('start'), file: z.string() }),
  z.object({ do: z.literal('collect') }),
])

answerQuestions(async (message): Promise<number | undefined> => {
  const question = questionSchema.parse(message)
  if (question.do === 'collect') return await collect()
  await startSigner(question.file)
  return undefined
})
