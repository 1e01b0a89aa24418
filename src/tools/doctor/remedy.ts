// What an operator can do about a failure, by its code: of the network, of TLS, of name resolution.

import { describeError } from '../../runtime/errors.ts'

/** The text of a failure, with those of an attempt at each address of a name. */
export const messageOf = (cause: unknown): string => {
  if (!(cause instanceof AggregateError)) return describeError(cause)
  const messages = [cause.message, ...cause.errors.map(describeError)]
  return messages.filter((text) => text !== '').join('; ')
}

/** @param place the key of the configuration that names the server */
export const remedyFor = (cause: unknown, place: string): string => {
  const code = codesOf(cause).find((one) => Object.hasOwn(REMEDIES, one))
  const remedy = code === undefined ? undefined : REMEDIES[code]
  return remedy ?? `See the log of the server, and "${place}"`
}

const UNREACHABLE =
  'Check the address, the routes and the firewalls between this machine and the server'
const UNTRUSTED = 'Set "ca" to the CA that signed the certificate of the server'

const REMEDIES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'No process listens there: start the server, or correct the address',
  ENOENT: 'There is no such socket: start the process that makes it, or correct the path',
  EACCES: 'This user may not open it: run as the user of the service, or correct the mode',
  ENOTFOUND: 'The name is not known: correct it, or the resolver of this machine',
  EAI_AGAIN: 'The resolver of this machine does not answer: see /etc/resolv.conf',
  ECONNRESET:
    'The server ended the connection: check that both sides use TLS, or neither, and see its log',
  ETIMEDOUT: UNREACHABLE,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  EPROTO: 'The server does not speak TLS there: correct the port or the scheme',
  ERR_SSL_WRONG_VERSION_NUMBER:
    'The server does not speak TLS there: correct the port or the scheme',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `${UNTRUSTED}, and let the server send its intermediates`,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `${UNTRUSTED}, and let the server send its intermediates`,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'Renew the certificate of the server',
  CERT_NOT_YET_VALID: 'Check the clocks of this machine and of the CA',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'Set "serverName" to a name in the certificate, or correct the host',
}

/** The codes of a failure and of what caused it. */
const codesOf = (cause: unknown): readonly string[] => {
  const codes: string[] = []
  const pending: unknown[] = [cause]
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (!(next instanceof Error) || codes.length >= MOST_CODES) continue
    if ('code' in next && typeof next.code === 'string') codes.push(next.code)
    if (next instanceof AggregateError) pending.push(...next.errors)
    pending.push(next.cause)
  }
  return codes
}

const MOST_CODES = 20
