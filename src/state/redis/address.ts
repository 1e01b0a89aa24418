// The address of Redis: a URL that may have several hosts, which no URL parser accepts.

import { CountersignError } from '../../runtime/errors.ts'

/** The address of one server. */
export interface RedisNode {
  readonly host: string
  readonly port: number
}

/** A user name and password. Without a user name, Redis takes that of `default`. */
export interface Login {
  readonly username: string | undefined
  readonly password: string | undefined
}

/** What an address says. */
export interface RedisUrl {
  /** With port 0 where the address has none. */
  readonly nodes: readonly RedisNode[]
  readonly database: number
  readonly login: Login
  /** `rediss:`. */
  readonly isSecure: boolean
}

// scheme, user information, hosts, database
const FORM = /^(rediss?):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/(\d{0,5}))?$/

const MOST_NODES = 32

/**
 * Reads `rediss://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE`. No message quotes it, since it has a password.
 *
 * @param source where it is, for messages
 * @throws CountersignError `configuration-invalid`
 */
export const parseRedisUrl = (source: string, text: string): RedisUrl => {
  const found = FORM.exec(text.trim())
  const [, scheme, user = '', hosts = '', database = ''] = found ?? []
  const names = hosts.split(',')
  const nodes = names.flatMap((name) => nodeOf(name) ?? [])
  if (scheme === undefined || nodes.length !== names.length || nodes.length > MOST_NODES) {
    throw invalid(
      `${source} holds no address of the form rediss://USER:PASSWORD@HOST:PORT/DATABASE (all but HOST may be left out; "HOST:PORT" may be a list with commas)`,
    )
  }
  const [username = '', ...rest] = user.split(':')
  return {
    nodes,
    database: Number(database),
    login: { username: partOf(source, username), password: partOf(source, rest.join(':')) },
    isSecure: scheme === 'rediss',
  }
}

const nodeOf = (name: string): RedisNode | undefined => {
  const url = URL.canParse(`redis://${name}`) ? new URL(`redis://${name}`) : undefined
  if (url === undefined || url.hostname === '') return undefined
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) }
}

const partOf = (source: string, part: string): string | undefined => {
  if (part === '') return undefined
  try {
    return decodeURIComponent(part)
  } catch {
    throw invalid(`${source} has a user or a password that is not percent-encoded as in a URL`)
  }
}

const invalid = (message: string) => new CountersignError('configuration-invalid', message)
