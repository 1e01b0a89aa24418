// A real FreeRADIUS on free ports, UDP and TLS, with a configuration of its own: nothing is read from
// the machine's but the dictionaries. It takes no request without `Message-Authenticator`.

import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { encodeRequest, REQUEST } from '../../src/clients/radius/packet.ts'
import { SharedSecret } from '../../src/clients/radius/secret.ts'
import { findProgram } from '../../src/runtime/child.ts'
import { Daemon } from './daemon.ts'
import { freePort, freeUdpPort } from './ports.ts'
import { createAuthority, type Authority, type KeyPair } from './pki.ts'
import { radiusConfiguration, type RadiusUser } from './freeradius-configuration.ts'
import { temporaryFolder } from './temporary.ts'

/** A FreeRADIUS that can be ended and started again at the same ports. */
export interface FreeRadius extends AsyncDisposable {
  /** UDP, at 127.0.0.1. */
  readonly port: number
  /** TLS, at 127.0.0.1; the certificate is for `localhost` and 127.0.0.1. */
  readonly tlsPort: number
  /** Of UDP; that of TLS is `radsec`. */
  readonly secret: string
  /** Has issued the server's certificate and `client`. */
  readonly authority: Authority
  /** A client certificate that the server takes. */
  readonly client: KeyPair
  /** Starts it again; resolves when it answers. */
  start(): Promise<void>
  /** Ends it at once, without a word to its clients. */
  kill(): Promise<void>
  /** Suspends it, and resumes it: its ports stay open and nothing answers. */
  pause(): void
  resume(): void
  readonly log: string
}

const ANSWER_LIMIT = 25

/** Where distributions put what only the administrator runs. */
const PLACES = ['/usr/sbin/freeradius', '/usr/sbin/radiusd', '/usr/local/sbin/radiusd']
const LIBRARIES = ['/usr/lib/freeradius', '/usr/lib64/freeradius', '/usr/local/lib/freeradius']

/** The program, where it is installed. */
export const findFreeRadius = (): string | undefined =>
  findProgram('freeradius') ?? findProgram('radiusd') ?? PLACES.find((path) => existsSync(path))

const MISSING = 'no FreeRADIUS on this machine: "sudo sh scripts/test-servers.sh" installs it'

/**
 * For `skip` of node:test: the reason to skip tests that need FreeRADIUS, or `false` where there is
 * one. Throws where `CI` is `true`: there a missing server is a fault and not a reason.
 */
export const skipWithoutFreeRadius = (): string | false => {
  if (findFreeRadius() !== undefined) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** Starts FreeRADIUS with these users, and waits until it answers. */
export const startFreeRadius = async (users: readonly RadiusUser[]): Promise<FreeRadius> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const authority = stack.use(await createAuthority('Countersign RADIUS test CA'))
  const identity = await authority.issue({
    commonName: 'radius',
    names: ['localhost', '127.0.0.1'],
    usage: 'server',
  })
  const client = await authority.issue({ commonName: 'authz', usage: 'client' })
  const [port, tlsPort] = await Promise.all([freeUdpPort(), freePort()])
  const secret = 'testing123-testing123'
  const libraries = LIBRARIES.find((path) => existsSync(path)) ?? ''
  await Promise.all(['run', 'log'].map((name) => mkdir(folder.file(name))))
  const files = radiusConfiguration({
    folder: folder.path,
    libraries,
    port,
    tlsPort,
    secret,
    identity,
    clientCa: authority.ca,
    users,
  })
  for (const [name, text] of Object.entries(files)) {
    await writeFile(folder.file(name), text, { mode: 0o600 })
  }
  const server = stack.use(
    new Daemon({
      command: findFreeRadius() ?? MISSING,
      args: ['-f', '-d', folder.path, '-n', 'radiusd', '-l', 'stdout'],
      probe: () => askStatus(port, secret),
    }),
  )
  await server.start()
  const owned = stack.move()
  return {
    port,
    tlsPort,
    secret,
    authority,
    client,
    start: () => server.start(),
    kill: () => server.kill(),
    pause: () => server.signal('SIGSTOP'),
    resume: () => server.signal('SIGCONT'),
    get log() {
      return server.log
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Asks with Status-Server (RFC 5997) whether it is ready: an open port says little. */
export const askStatus = async (port: number, secret: string): Promise<void> => {
  const socket = createSocket('udp4').on('error', () => undefined)
  const content = { code: REQUEST.status, attributes: [] }
  const bytes = encodeRequest(content, 0, randomBytes(16), new SharedSecret(secret))
  socket.send(bytes, port, '127.0.0.1')
  try {
    await once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_LIMIT) })
  } finally {
    socket.close()
  }
}
