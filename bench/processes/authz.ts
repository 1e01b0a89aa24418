// The real authz, and what the bench wants to know of it from inside.

import { Session, type Profiler } from 'node:inspector/promises'
import { z } from 'zod'
import type { Authz } from '../../src/authz.ts'
import { growYoungGeneration, keepYoungGeneration } from '../../src/runtime/young-generation.ts'
import { answerQuestions } from './answer.ts'
import { collect } from './collect.ts'

const questionSchema = z.discriminatedUnion('do', [
  z.object({ do: z.literal('start'), file: z.string() }),
  z.object({ do: z.literal('reload') }),
  z.object({ do: z.literal('collect') }),
  z.object({ do: z.literal('start-profile'), interval: z.int() }),
  z.object({ do: z.literal('stop-profile') }),
])

// As the command does: until it is ready, and its modules are loaded then.
keepYoungGeneration()
const { startAuthz } = await import('../../src/authz.ts')

let authz: Authz | undefined

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

/** Reloads as SIGHUP does; the milliseconds that it took. */
const reload = async (): Promise<number> => {
  if (authz === undefined) throw new Error('not started')
  const started = performance.now()
  await authz.reload()
  return performance.now() - started
}

const answer = async (question: z.output<typeof questionSchema>): Promise<unknown> => {
  switch (question.do) {
    case 'start':
      authz = await startAuthz(question.file)
      growYoungGeneration()
      return undefined
    case 'reload':
      return await reload()
    case 'collect':
      return await collect()
    case 'start-profile':
      return await startProfile(question.interval)
    case 'stop-profile':
      return await stopProfile()
  }
}

answerQuestions((message) => answer(questionSchema.parse(message)))
