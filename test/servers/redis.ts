// A real Redis on free ports, in the clear and with TLS from a CA of its own, with a password, and a
// user who may do no more than docs/operate/state.md lists.

import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { Daemon, runProgram } from './daemon.ts'
import { freePort } from './ports.ts'
import { skipWithout } from './redis-node.ts'
import { createAuthority, type Authority, type KeyPair } from './pki.ts'
import { temporaryFolder } from './temporary.ts'

/** How a Redis is set up. */
export interface RedisOptions {
  /** Ask every client for a certificate of the CA. */
  readonly demandCertificate?: boolean
  /** Bytes. Default: no bound. */
  readonly maxMemory?: number
  readonly policy?: 'noeviction' | 'allkeys-lru'
  /** Keep what is stored over a restart. */
  readonly persistent?: boolean
}

/** A running Redis. */
export interface Redis extends AsyncDisposable {
  /** Of the default user, in the clear. */
  readonly url: string
  /** The same over TLS; the certificate is for `localhost`, `redis.example.org` and 127.0.0.1. */
  readonly tlsUrl: string
  /** Of a user who may do what we need, under `countersign:`. */
  readonly userUrl: string
  readonly port: number
  readonly authority: Authority
  /** A client certificate of the same CA. */
  readonly client: KeyPair
  /** Runs a command as an administrator; its answer as redis-cli prints it. */
  command(...command: readonly string[]): Promise<string>
  /** Everything that it holds, as it would be written to a disk. */
  dump(): Promise<Buffer>
  start(): Promise<void>
  /** Ends it at once, without a word to its clients. */
  kill(): Promise<void>
  /** Suspends it, and resumes it: its ports stay open and nothing answers. */
  pause(): void
  resume(): void
}

const PASSWORD = 'redis secret/ü'
const USER_PASSWORD = 'user-secret'

/** The commands that Countersign's user has to be allowed (docs/operate/state.md). */
export const COMMANDS =
  '+evalsha +eval +time +hset +hget +hmget +set +del +pexpire +pttl +zadd +zrem +zrangebyscore +zremrangebyscore +zcount +info'

/** For `skip` of node:test; see {@link skipWithout}. */
export const skipWithoutRedis = (): string | false => skipWithout('redis')

/** Starts Redis. */
export const startRedis = async (options: RedisOptions = {}): Promise<Redis> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const authority = stack.use(await createAuthority('Countersign Redis test CA'))
  const names = ['localhost', 'redis.example.org', '127.0.0.1']
  const identity = await authority.issue({ commonName: 'redis', names, usage: 'server' })
  const client = await authority.issue({ commonName: 'authz', usage: 'client' })
  const [port, tlsPort] = await Promise.all([freePort(), freePort()])
  const config = folder.file('redis.conf')
  const socket = folder.file('redis.sock')
  await mkdir(folder.file('data'))
  await writeFile(config, configuration({ port, tlsPort, socket, data: folder.file('data') }))
  await appendFile(config, tlsConfiguration(identity, authority, options))
  await appendFile(config, boundsConfiguration(options))
  const command = (...args: readonly string[]): Promise<string> =>
    runProgram('redis-cli', ['-s', socket, '--no-auth-warning', '-a', PASSWORD, ...args])
  const daemon = stack.use(
    new Daemon({
      command: 'redis-server',
      args: [config],
      probe: async () => {
        const answer = await command('PING')
        if (answer.trim() !== 'PONG') throw new Error(answer)
      },
    }),
  )
  await daemon.start()
  const owned = stack.move()
  const password = encodeURIComponent(PASSWORD)
  return {
    port,
    url: `redis://:${password}@127.0.0.1:${port}`,
    tlsUrl: `rediss://:${password}@localhost:${tlsPort}`,
    userUrl: `redis://countersign:${USER_PASSWORD}@127.0.0.1:${port}`,
    authority,
    client,
    command,
    async dump() {
      await command('SAVE')
      return await readFile(folder.file('data/dump.rdb'))
    },
    start: () => daemon.start(),
    kill: () => daemon.kill(),
    pause: () => daemon.signal('SIGSTOP'),
    resume: () => daemon.signal('SIGCONT'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Places {
  readonly port: number
  readonly tlsPort: number
  readonly socket: string
  readonly data: string
}

const configuration = ({ port, tlsPort, socket, data }: Places): string => `
bind 127.0.0.1
port ${port}
tls-port ${tlsPort}
unixsocket ${socket}
unixsocketperm 700
dir ${data}
daemonize no
supervised no
save ""
rdbcompression no
requirepass "${PASSWORD}"
user countersign on >${USER_PASSWORD} ~countersign:* -@all ${COMMANDS}
`

const tlsConfiguration = (
  { certificate, key }: KeyPair,
  { ca }: Authority,
  { demandCertificate = false }: RedisOptions,
): string => `
tls-cert-file ${certificate}
tls-key-file ${key}
tls-ca-cert-file ${ca}
tls-auth-clients ${demandCertificate ? 'yes' : 'no'}
`

const boundsConfiguration = ({
  maxMemory = 0,
  policy = 'noeviction',
  persistent = false,
}: RedisOptions): string => `
appendonly ${persistent ? 'yes' : 'no'}
appendfsync always
maxmemory ${maxMemory}
maxmemory-policy ${policy}
`
