// A real rsyslog, which writes the messages that it gets over TLS and over TCP to a file, one JSON object each.

import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { once } from 'node:events'
import { findProgram } from '../../src/runtime/child.ts'
import { Daemon } from './daemon.ts'
import { createAuthority, type Authority, type KeyPair } from './pki.ts'
import { freePort } from './ports.ts'
import { temporaryFolder } from './temporary.ts'

/** A message as rsyslog parsed it. */
interface SyslogMessage {
  readonly facility: string
  readonly severity: string
  readonly app: string
  readonly id: string
  readonly time: string
  readonly data: string
  /** MSG. */
  readonly text: string
}

/** A running rsyslog. */
export interface Rsyslog extends AsyncDisposable {
  /** RFC 5425, with client certificates of {@link authority}. */
  readonly tlsPort: number
  /** RFC 6587. */
  readonly tcpPort: number
  readonly authority: Authority
  readonly client: KeyPair
  messages(): Promise<readonly SyslogMessage[]>
  start(): Promise<void>
  kill(): Promise<void>
}

const PLACES = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd']
const TLS_MODULES = [
  '/usr/lib/x86_64-linux-gnu/rsyslog',
  '/usr/lib/aarch64-linux-gnu/rsyslog',
  '/usr/lib64/rsyslog',
]

const findRsyslogd = (): string | undefined =>
  findProgram('rsyslogd') ?? PLACES.find((path) => existsSync(path))

const hasTls = (): boolean => TLS_MODULES.some((folder) => existsSync(`${folder}/lmnsd_ossl.so`))

const MISSING =
  'no rsyslogd with OpenSSL on this machine: "sudo sh scripts/test-servers.sh" installs it'

/** For `skip` of node:test. Throws where `CI` is `true`: there a missing server is a fault and not a reason. */
export const skipWithoutRsyslog = (): string | false => {
  if (findRsyslogd() !== undefined && hasTls()) return false
  if (process.env['CI'] === 'true') throw new Error(MISSING)
  return MISSING
}

/** Starts it. */
export const startRsyslog = async (): Promise<Rsyslog> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const authority = stack.use(await createAuthority('Syslog test CA'))
  const names = ['syslog.example.org']
  const server = await authority.issue({ commonName: 'syslog', names, usage: 'server' })
  const client = await authority.issue({ commonName: 'forwarder', usage: 'client' })
  const [tlsPort, tcpPort] = [await freePort(), await freePort()]
  const output = folder.file('messages.jsonl')
  const file = folder.file('rsyslog.conf')
  const text = configuration({
    tlsPort,
    tcpPort,
    output,
    ca: authority.ca,
    server,
    folder: folder.path,
  })
  await writeFile(file, text)
  const daemon = stack.use(
    new Daemon({
      command: findRsyslogd() ?? 'rsyslogd',
      args: ['-n', '-f', file, '-i', folder.file('pid')],
      async probe() {
        for (const port of [tlsPort, tcpPort]) {
          const socket = connect(port, '127.0.0.1')
          await once(socket, 'connect').finally(() => socket.destroy())
        }
      },
    }),
  )
  await daemon.start()
  const running = stack.move()
  return {
    tlsPort,
    tcpPort,
    authority,
    client,
    messages: async () => messagesIn(await readFile(output, 'utf8').catch(() => '')),
    start: () => daemon.start(),
    kill: () => daemon.kill(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const messagesIn = (text: string): readonly SyslogMessage[] =>
  text
    .split('\n')
    .slice(0, -1) // without what is being written
    .map((line): SyslogMessage => JSON.parse(line))

const configuration = ({
  tlsPort,
  tcpPort,
  output,
  ca,
  server,
  folder,
}: {
  readonly tlsPort: number
  readonly tcpPort: number
  readonly output: string
  readonly ca: string
  readonly server: KeyPair
  readonly folder: string
}): string => `
# What it has read is written before it closes a connection: what waits in a queue is lost when it is killed.
global(maxMessageSize="64k" workDirectory="${folder}"
  defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="${ca}"
  defaultNetstreamDriverCertFile="${server.certificate}" defaultNetstreamDriverKeyFile="${server.key}")
module(load="imtcp")
template(name="json" type="list" option.jsonf="on") {
  property(outname="facility" name="syslogfacility-text" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="id" name="msgid" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="text" name="msg" format="jsonf")
}
ruleset(name="write" queue.type="Direct") { action(type="omfile" file="${output}" template="json") }
input(type="imtcp" address="127.0.0.1" port="${tlsPort}" ruleset="write"
  streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
input(type="imtcp" address="127.0.0.1" port="${tcpPort}" ruleset="write"
  streamDriver.name="ptcp" streamDriver.mode="0")
`
