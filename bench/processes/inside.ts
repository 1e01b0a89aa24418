// Loaded into a service before it starts: what the bench wants to know of it from inside.

import { Session, type Profiler } from 'node:inspector/promises'
import { z } from 'zod'
import { answerQuestions } from './answer.ts'
import { collect } from './collect.ts'

const questionSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('collect') }),
  z.object({ do: z.literal('start-profile'), interval: z.int() }),
  z.object({ do: z.literal('stop-profile') }),
])

const session = new Session()

const startProfile = async (interval: number): Promise<void> => {
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval })
  await session.post('Profiler.start')
}

const stopProfile = async (): Promise<Profiler.Profile> => {
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  return profile
}

const answer = async (question: z.output<typeof questionSchema>): Promise<unknown> => {
  switch (question.do) {
    case 'collect':
      return await collect()
    case 'start-profile':
      return await startProfile(question.interval)
    case 'stop-profile':
      return await stopProfile()
  }
}

answerQuestions((message) => answer(questionSchema.parse(message)))
