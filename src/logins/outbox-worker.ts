// Delivers what `countersign sessions end` leaves in the outbox: the audit event, back-channel logouts, which need the
// signing keys, and revocations of refresh tokens, which need the client secrets of the upstream IdPs.

import type { Logger } from '../runtime/logger.ts'
import type { LoginEventSink } from './events.ts'
import type { NotifyClient } from './logout.ts'
import type { LogoutOutbox, OutboxMessage } from './outbox.ts'
import type { UpstreamLogout } from './upstream-logout.ts'

/** What delivers messages. */
export interface OutboxHandlers {
  readonly notify: NotifyClient
  readonly upstreamLogout: Pick<UpstreamLogout, 'revoke'>
}

/** What the worker needs. */
export interface OutboxWorkerParts {
  readonly outbox: LogoutOutbox
  readonly events: LoginEventSink
  /** Of the configuration in force; `undefined` without an authorization server. */
  readonly handlers: () => OutboxHandlers | undefined
  readonly logger: Logger
}

// No request waits for it.
const POLL_EVERY_MS = 2_000

/** Polls the outbox until it is disposed of. */
export const startOutboxWorker = (parts: OutboxWorkerParts): AsyncDisposable => {
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= deliverAll(parts)
      .catch(() => undefined) // the store is unavailable, which it logs and counts itself
      .finally(() => {
        running = undefined
      })
  }, POLL_EVERY_MS)
  timer.unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}

const deliverAll = async (parts: OutboxWorkerParts): Promise<void> => {
  const handlers = parts.handlers()
  if (handlers === undefined) return
  for await (const message of parts.outbox.take()) {
    try {
      await deliver(message, parts.events, handlers)
    } catch (cause) {
      parts.logger.error({ err: cause, note: message }, 'audit event lost')
    }
  }
}

const deliver = async (
  message: OutboxMessage,
  events: LoginEventSink,
  { notify, upstreamLogout }: OutboxHandlers,
): Promise<void> => {
  switch (message.kind) {
    case 'tell':
      await Promise.all(
        message.clients.map(async ({ client, user, sid }) => await notify(client, user, sid)),
      )
      return
    case 'give-back':
      await Promise.all(
        message.tokens.map(
          async ({ provider, refreshToken }) => await upstreamLogout.revoke(provider, refreshToken),
        ),
      )
      return
    case 'record':
      await events.write({ event: 'sessions-ended', ...message.event, by: 'cli' })
  }
}
