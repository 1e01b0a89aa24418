// The side of a worker: it answers its supervisor, and reloads only when the supervisor says so. It ends when the channel
// does, so that no worker outlives its supervisor (`cli/signals.ts`).

import type { Prepared } from '../config/reload.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import {
  readQuestion,
  type AnswerTo,
  type NamedCondition,
  type Question,
  type WorkerMessage,
} from './messages-schema.ts'

/** What its supervisor requests of a worker. */
export interface Supervised {
  /** The page of Prometheus, of this process alone. */
  metrics(): Promise<string>
  conditions(): readonly NamedCondition[]
  /** Whether a file of its configuration has changed. */
  changed(): Promise<boolean>
  /** Clears what is cached, and opens the audit file anew. */
  reopen(): Promise<void>
  /** Opens the audit file anew, and nothing else. */
  reopenAudit(): Promise<void>
  /** Builds the next configuration. */
  prepare(): Promise<Prepared>
}

/** The IPC channel of this process. */
export interface Channel {
  on(event: 'message', listener: (message: unknown) => void): unknown
  send?(message: WorkerMessage): unknown
}

/** Answers the supervisor until the process ends. */
export const answerSupervisor = (channel: Channel, supervised: Supervised): void => {
  const answers = new Answers(supervised)
  channel.on('message', (message) => {
    const question = readQuestion(message)
    if (question === undefined) return
    const { id } = question
    answers.to(question).then(
      (answer) => channel.send?.({ id, answer }),
      // None of them throws; were it otherwise, the supervisor ends this process when no answer comes.
      () => undefined,
    )
  })
}

class Answers {
  readonly #supervised: Supervised
  /** The configuration that the supervisor has not decided about. */
  #prepared: Prepared | undefined

  constructor(supervised: Supervised) {
    this.#supervised = supervised
  }

  async to(question: Question): Promise<AnswerTo<Question['ask']>> {
    const supervised = this.#supervised
    switch (question.ask) {
      case 'metrics':
        return await supervised.metrics()
      case 'conditions':
        return supervised.conditions().map((condition) => ({ reason: '', ...condition }))
      case 'changed':
        return await supervised.changed()
      case 'reopen':
        await supervised.reopen()
        return null
      case 'reopen-audit':
        await supervised.reopenAudit()
        return null
      case 'prepare':
        return await this.#prepare()
      case 'conclude':
        this.#taken()?.conclude()
        return null
      case 'give-up':
        this.#taken()?.giveUp(new CountersignError('configuration-invalid', question.reason))
        return null
    }
  }

  async #prepare(): Promise<AnswerTo<'prepare'>> {
    const prepared = await this.#supervised.prepare()
    this.#prepared = prepared
    const { failure, fingerprint } = prepared
    return { fingerprint, ...(failure && { failure: describeError(failure.cause) }) }
  }

  #taken(): Prepared | undefined {
    const prepared = this.#prepared
    this.#prepared = undefined
    return prepared
  }
}
