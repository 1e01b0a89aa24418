// The error page of the provider, for errors that must not be sent to the client.

import { errors, type ErrorOut } from 'oidc-provider'
import type { MessageKind, MessageModel } from '../../pages/views/message.ts'

const KINDS: Readonly<Record<string, MessageKind>> = {
  invalid_client: 'unknown-client',
  invalid_redirect_uri: 'unknown-client',
  access_denied: 'cancelled',
  server_error: 'unavailable',
  temporarily_unavailable: 'unavailable',
}

/** The page for an error of the provider's (RFC 6749 §4.1.2.1). */
export const errorMessage = (
  { error, error_description: description }: ErrorOut,
  cause: unknown,
  id: string,
): MessageModel => {
  const expired = cause instanceof errors.SessionNotFound
  const message = expired ? 'expired' : (KINDS[error] ?? 'malformed')
  const detail = description === undefined ? error : `${error}: ${description}`
  return {
    message,
    tone: message === 'cancelled' ? 'notice' : 'error',
    id: { kind: 'request', id },
    ...(message === 'malformed' || message === 'unknown-client' ? { detail } : {}),
  }
}
