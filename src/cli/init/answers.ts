// What `countersign init` must know, and how it is checked.

import { resolve } from 'node:path'
import { addressSchema, formatAddress, hostPatternSchema, isLoopback } from '../../config/values.ts'
import { usageError } from '../usage-error.ts'

/** A kind of credential that callers bring. */
export const WAYS_IN = [
  'password',
  'certificate',
  'token',
  'api-key',
  'login',
  'command-line',
] as const
export type WayIn = (typeof WAYS_IN)[number]

/** What the upstream receives. */
export const WAYS_OUT = ['headers', 'token', 'certificate'] as const
export type WayOut = (typeof WAYS_OUT)[number]

/** What the upstream is; of a Kubernetes API server, rules read verbs and resources. */
export const KINDS = ['http', 'kubernetes'] as const
export type UpstreamKind = (typeof KINDS)[number]

/** Where the application is, and whether it speaks TLS. */
export interface UpstreamAnswer {
  /** As in the configuration. */
  readonly address: string
  readonly tls: boolean
  /** Whether it is on another machine and speaks no TLS. */
  readonly plaintext: boolean
}

/** Everything from which the files follow. */
export interface Answers {
  readonly upstream: UpstreamAnswer
  /** PEM file: the CA of an upstream with TLS. */
  readonly upstreamCa: string | undefined
  readonly waysIn: readonly WayIn[]
  readonly wayOut: WayOut
  readonly kind: UpstreamKind
  /** The host of the route. */
  readonly host: string
  readonly port: number
  /** Of the tokens that callers bring. */
  readonly issuer: string | undefined
  readonly audience: string | undefined
  /** The first user. */
  readonly user: string
}

/**
 * `HOST:PORT`, `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`.
 *
 * @throws CountersignError `usage`
 */
export const parseUpstream = (text: string): UpstreamAnswer => {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*?)\/?$/.exec(text) ?? []
  const parsed = addressSchema.safeParse(rest.startsWith('unix:') ? absoluteSocket(rest) : rest)
  if (!parsed.success) {
    throw usageError(
      `the upstream "${text}" must be HOST:PORT, http://HOST:PORT, https://HOST:PORT or unix:PATH`,
    )
  }
  const local = isLoopback(parsed.data)
  if (scheme === undefined && !local) {
    throw usageError(
      `"${text}" is on another machine: write https://${rest}, or http://${rest} where a mesh or tunnel encrypts the connection`,
    )
  }
  return {
    address: formatAddress(parsed.data),
    tls: scheme === 'https',
    plaintext: scheme === 'http' && !local,
  }
}

const absoluteSocket = (address: string): string => `unix:${resolve(address.slice('unix:'.length))}`

/** Names of one of the lists, separated by commas. */
export const parseWays = (text: string): readonly WayIn[] => {
  const names = text.split(',').map((name) => name.trim())
  const ways = names.flatMap((name) => WAYS_IN.filter((way) => way === name))
  if (ways.length < names.length) {
    throw usageError(`the ways in must be of ${WAYS_IN.join(', ')}, separated by commas`)
  }
  return [...new Set(ways)]
}

/** One of the list. */
export const parseWayOut = (text: string): WayOut => {
  const way = WAYS_OUT.find((one) => one === text.trim())
  if (way === undefined) throw usageError(`the way out must be one of ${WAYS_OUT.join(', ')}`)
  return way
}

/**
 * Requires that the answers fit together.
 *
 * @throws CountersignError `usage`
 */
export const checkAnswers = (answers: Answers): Answers => {
  const { upstream, upstreamCa, waysIn, wayOut, issuer, audience, host } = answers
  if (!hostPatternSchema.safeParse(host).success) {
    throw usageError(`--host "${host}" must be a lower-case host name without a port`)
  }
  if (upstream.tls && upstreamCa === undefined) {
    throw usageError('an upstream with TLS needs --upstream-ca FILE, the CA of its certificate')
  }
  if (!upstream.tls && upstreamCa !== undefined) {
    throw usageError('--upstream-ca is for an upstream with TLS: --upstream https://HOST:PORT')
  }
  if (wayOut === 'certificate' && !upstream.tls) {
    throw usageError(
      'a client certificate is presented over TLS: --upstream https://HOST:PORT --upstream-ca FILE',
    )
  }
  if (waysIn.includes('token') && (issuer === undefined || audience === undefined)) {
    throw usageError('tokens need --issuer URL and --audience NAME: what "iss" and "aud" must be')
  }
  if (issuer !== undefined && !/^https:\/\/[^\s]+$/.test(issuer)) {
    throw usageError('--issuer must be a URL with https, as in the claim "iss"')
  }
  return answers
}

/** The host of the login page, the discovery document and the key set. */
export const issuerHostOf = ({ host }: Pick<Answers, 'host'>): string =>
  `id.${host.replace(/^\*\./, '')}`

/** `issuer.url`. */
export const issuerUrlOf = (answers: Pick<Answers, 'host' | 'port'>): string =>
  `https://${issuerHostOf(answers)}:${answers.port}`

/** Where clients find the route; it is also the audience (RFC 8707) of tokens for the command line. */
export const routeUrlOf = ({ host, port }: Pick<Answers, 'host' | 'port'>): string =>
  `https://${host.replace('*', 'www')}:${port}`

/** Whether users log in at a page of the issuer. */
export const hasLogins = ({ waysIn }: Pick<Answers, 'waysIn'>): boolean =>
  waysIn.includes('login') || waysIn.includes('command-line')

/** Whether the files have an issuer: for tokens that are minted, and for logins. */
export const hasIssuer = (answers: Answers): boolean =>
  answers.wayOut === 'token' || hasLogins(answers)

/** Whether users have passwords: callers bring them, or the login page reads them. */
export const hasPasswords = (answers: Answers): boolean =>
  answers.waysIn.includes('password') || hasLogins(answers)
