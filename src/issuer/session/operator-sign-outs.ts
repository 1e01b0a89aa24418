// What is left to do after `countersign sessions end`, done by the authz that runs: the audit event, telling
// clients, which takes our keys, and giving tokens back, which takes our secrets at their providers.

import type { AuditSink } from '../../audit/sink.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { TellClient } from './sign-out.ts'
import type { SignOutNote, SignOutNotes } from './sign-out-notes.ts'

/** What that needs. */
export interface OperatorSignOutParts {
  readonly notes: SignOutNotes
  readonly audit: AuditSink
  /** `undefined` where there is no authorization server now. */
  readonly others: () => OthersConcerned | undefined
  readonly logger: Logger
}

/** Whoever else has to do with a login. */
export interface OthersConcerned {
  readonly tell: TellClient
  /** Gives a refresh token back to the provider of that id. Never rejects, as {@link TellClient}. */
  readonly giveBack: (provider: string, refreshToken: string) => Promise<void>
}

// Nobody waits for it.
const LOOK_EVERY_MS = 2_000

/** Looks for notes now and then, until it is disposed of. */
export const carryingOutNotes = (parts: OperatorSignOutParts): AsyncDisposable => {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= carryOut(parts)
      .catch(() => undefined) // the store cannot be asked, which is told and counted there
      .finally(() => {
        running = undefined
      })
  }, LOOK_EVERY_MS)
  timer.unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}

const carryOut = async ({ notes, audit, others, logger }: OperatorSignOutParts): Promise<void> => {
  const concerned = others()
  if (concerned === undefined) return
  for await (const note of notes.take()) {
    try {
      await carryOutOne(note, audit, concerned)
    } catch (cause) {
      logger.error({ err: cause, note }, 'audit event lost')
    }
  }
}

const carryOutOne = async (
  note: SignOutNote,
  audit: AuditSink,
  { tell, giveBack }: OthersConcerned,
): Promise<void> => {
  if (note.kind === 'tell') {
    await Promise.all(
      note.clients.map(async ({ client, user, sid }) => await tell(client, user, sid)),
    )
    return
  }
  if (note.kind === 'give-back') {
    await Promise.all(
      note.tokens.map(async ({ provider, refreshToken }) => await giveBack(provider, refreshToken)),
    )
    return
  }
  await audit.write({ event: 'sessions-ended', ...note.event, by: 'cli' })
}
