// The socket over which an operator follows checks and logins while they happen (`countersign debug`). What it tells has names of
// users, so it is a UNIX socket alone: who may connect is said by its mode. It can change nothing.

import { BlockList, isIP, isIPv6 } from 'node:net'
import type { ServerResponse } from 'node:http'
import type { ListenAddress } from '../runtime/listen.ts'
import type { Logger } from '../runtime/logger.ts'
import { startHttpServer, type HttpServer } from '../runtime/http/server.ts'
import type { FollowedPart, FollowedRequests } from '../runtime/tracing/followed-requests.ts'

/** The path that answers with a line of JSON for each request that has ended, until the client goes away. */
export const FOLLOW_PATH = '/follow'

// Each costs the process time for every check.
const MOST_FOLLOWERS = 4
// Of lines that a client has not taken; further ones are left out, and counted.
const MOST_WAITING_BYTES = 1_048_576
// Below the time after which the server closes a connection on which nothing moves.
const BLANK_LINE_MS = 10_000

/** What the listener needs. */
export interface FollowListenerParts {
  readonly address: ListenAddress
  /** Octal. */
  readonly mode: string
  readonly requests: FollowedRequests
  /** The keyed hash of a name, which a report has in place of a name that no user has. */
  readonly hashOf: (user: string) => string
  readonly logger: Logger
}

/**
 * Starts the listener.
 *
 * @throws CountersignError `listen-failed`
 */
export const startFollowListener = async ({
  address,
  mode,
  requests,
  hashOf,
  logger,
}: FollowListenerParts): Promise<HttpServer> => {
  let followers = 0
  return await startHttpServer({
    address,
    mode: Number.parseInt(mode, 8),
    pages: new Map(),
    application: () => async (path, request, response) => {
      const query = new URLSearchParams(request.url?.split('?', 2)[1])
      if (path !== FOLLOW_PATH || request.method !== 'GET') return refuse(response, 404)
      const matches = filterOf(query, hashOf)
      if (matches === undefined) return refuse(response, 400)
      if (followers >= MOST_FOLLOWERS) return refuse(response, 503)
      followers += 1
      logger.info({ filter: Object.fromEntries(query) }, 'checks are followed')
      response.writeHead(200, {
        'content-type': 'application/x-ndjson',
        'cache-control': 'no-store',
      })
      response.flushHeaders()
      const lines = new Lines(response)
      const following = requests.follow((part) => {
        if (matches(part)) lines.write(part)
      })
      const blank = setInterval(() => lines.blank(), BLANK_LINE_MS)
      response.once('close', () => {
        clearInterval(blank)
        following[Symbol.dispose]()
        followers -= 1
        logger.info('checks are no longer followed')
      })
    },
    logger,
  })
}

const refuse = async (response: ServerResponse, status: number): Promise<void> => {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(REFUSALS[status])
}

const REFUSALS: Readonly<Record<number, string>> = {
  400: 'source must be an address or a network such as 10.0.0.0/8\n',
  404: `Only GET ${FOLLOW_PATH} is here.\n`,
  503: `There are ${MOST_FOLLOWERS} followers already.\n`,
}

class Lines {
  readonly #response: ServerResponse
  #omitted = 0

  constructor(response: ServerResponse) {
    this.#response = response
  }

  write(part: FollowedPart): void {
    if (this.#response.writableLength > MOST_WAITING_BYTES) {
      this.#omitted += 1
      return
    }
    const omitted = this.#omitted === 0 ? {} : { omittedBefore: this.#omitted }
    this.#omitted = 0
    this.#response.write(
      `${JSON.stringify({ at: new Date().toISOString(), ...part, ...omitted })}\n`,
    )
  }

  blank(): void {
    if (this.#response.writableLength === 0) this.#response.write('\n')
  }
}

type Filter = (part: FollowedPart) => boolean

/** `user`, `route` and `source`, all of which a request must have; undefined where one cannot be used. */
const filterOf = (query: URLSearchParams, hashOf: (user: string) => string): Filter | undefined => {
  const [user, route, source] = [query.get('user'), query.get('route'), query.get('source')]
  const networks = source === null ? undefined : networkOf(source)
  if (source !== null && networks === undefined) return undefined
  const hash = user === null ? undefined : hashOf(user)
  return ({ notes, attributes }) => {
    if (user !== null && notes['user'] !== user && notes['userHash'] !== hash) return false
    if (route !== null && attributes['countersign.route'] !== route) return false
    return networks === undefined || isIn(notes['source'] ?? '', networks)
  }
}

const familyOf = (address: string): 'ipv6' | 'ipv4' => (isIPv6(address) ? 'ipv6' : 'ipv4')

const networkOf = (text: string): BlockList | undefined => {
  const [address = '', prefix] = text.split('/', 2)
  if (isIP(address) === 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return undefined
  const networks = new BlockList()
  try {
    if (prefix === undefined) networks.addAddress(address, familyOf(address))
    else networks.addSubnet(address, Number(prefix), familyOf(address))
    return networks
  } catch {
    return undefined // a prefix that is too long
  }
}

const isIn = (address: string, networks: BlockList): boolean =>
  isIP(address) !== 0 && networks.check(address, familyOf(address))
