// How much of the operational log clients can fill that prove nothing: some kilobytes, however often they come.
//
// Slow: it floods a server for seconds.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { Agent, request as httpRequest, type RequestOptions } from 'node:http'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { startAuthzCommand, type RunningService } from './cli/run.ts'
import { basic } from './fakes/envoy.ts'
import { clientIn } from './fakes/envoy-client.ts'
import { cheapHash } from './fakes/hashes.ts'
import { writeSigningKeys } from './fakes/signing-key-files.ts'
import { madeKey } from './fakes/signing-keys.ts'
import { configuration } from './issuer/authorization-server.ts'
import { temporaryFolder, type TemporaryFolder } from './servers/temporary.ts'

const TIMES = 300
const AT_ONCE = 50
// The start and the end of the process, and 50 lines of one message with a stack.
const MOST_BYTES = 80_000
const WITH_FULL = { skip: !existsSync('/dev/full') }

/** What is done again and again; it may fail in any way. */
type Act = (folder: TemporaryFolder, index: number) => Promise<unknown>

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE })

/** Asks the issuer, which refuses. */
const ask = async (
  folder: TemporaryFolder,
  path: string,
  options: RequestOptions = {},
  body = '',
): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socketPath = folder.file('issuer.sock')
  const sent = httpRequest({ agent, socketPath, path, ...options }, (response) => {
    const { statusCode = 0 } = response
    response.resume().on('close', resolve)
    if (statusCode < 400 || statusCode >= 500) reject(new Error(`${path}: ${statusCode}`))
  })
  sent.on('error', reject)
  sent.end(body)
  await promise
}

/** Sends bytes to a listener, and leaves as soon as something is answered, or at once. */
const send = async (socket: string, bytes: string, leave = false): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const connection = connect(socket, () => {
    connection.write(bytes, () => {
      if (leave) connection.destroy()
    })
  })
  connection.on('error', () => undefined).on('close', () => resolve())
  connection.on('data', () => connection.destroy())
  await promise
}

const FORM = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } }

const post = async (folder: TemporaryFolder, path: string, body: string): Promise<void> =>
  await ask(folder, path, FORM, body)

const ACTS: Readonly<Record<string, Act>> = {
  'authorizations of unknown clients': (folder, index) =>
    ask(folder, `/authorize?client_id=c${index}&${'x'.repeat(4_000)}`),
  'pages that do not exist': (folder, index) => ask(folder, `/${index}/${'x'.repeat(8_000)}`),
  'wrong secrets at the token endpoint': (folder, index) =>
    post(folder, '/token', `grant_type=client_credentials&client_id=robot&client_secret=s${index}`),
  'unreadable bodies at the token endpoint': (folder) => post(folder, '/token', '%%%&&&='),
  'wrong user codes': (folder, index) => post(folder, '/device', `user_code=AAAA-${index}`),
  'device codes of unknown clients': (folder, index) =>
    post(folder, '/device_authorization', `client_id=c${index}`),
  'login forms of nobody': (folder) => post(folder, '/login/abc/password', 'user=a&password=b'),
  'logout tokens of unknown providers': (folder) =>
    post(folder, '/login/provider/callback/x/logout', 'logout_token=x'),
  'half a request, and the connection closed': (folder) =>
    send(
      folder.file('issuer.sock'),
      'POST /token HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\nx',
      true,
    ),
  'what is not HTTP, at the issuer': (folder) =>
    send(folder.file('issuer.sock'), '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'),
  'headers that are too large': (folder) =>
    send(
      folder.file('issuer.sock'),
      `GET / HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`,
    ),
  'what is not HTTP/2, at the port of ext_authz': (folder) =>
    send(folder.file('authz.sock'), 'GET / HTTP/1.1\r\nhost: a\r\n\r\n', true),
  'a broken HTTP/2 frame, at the port of ext_authz': (folder) =>
    send(
      folder.file('authz.sock'),
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00xxxxxxxx`,
    ),
}

const YAML = configuration()
  .replace('"127.0.0.1:0", issuer: "127.0.0.1:0"', 'unix:authz.sock, issuer: unix:issuer.sock')
  .replace('level: error', 'level: info')

/** Starts authz, lets something happen, and gives what it logged. */
const logOf = async (
  run: (folder: TemporaryFolder, authz: RunningService) => Promise<void>,
): Promise<string> => {
  await using folder = await temporaryFolder()
  const keys = await Promise.all([madeKey('ES256'), madeKey('EdDSA')])
  await mkdir(folder.file('keys'))
  await writeSigningKeys(folder.file('keys'), keys)
  await writeFile(folder.file('secret'), 'a-secret-of-more-than-32-characters')
  const hash = await cheapHash('wonderland')
  await writeFile(folder.file('users.yaml'), `users: { alice: { password: '${hash}' } }`)
  await writeFile(folder.file('countersign.yaml'), YAML)
  await using authz = await startAuthzCommand(folder.file('countersign.yaml'))
  await run(folder, authz)
  return (await authz.end()).stderr
}

const repeat = async (act: (index: number) => Promise<unknown>): Promise<void> => {
  for (let index = 0; index < TIMES; index += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => act(index + at)))
  }
}

const ALICE = { headers: [['authorization', basic('alice', 'wonderland')]] } as const

describe('the operational log', () => {
  it(`holds nothing of ${TIMES} each of: ${Object.keys(ACTS).join('; ')}`, async () => {
    const log = await logOf(async (folder) => {
      for (const act of Object.values(ACTS)) {
        await repeat((index) => act(folder, index))
      }
    })
    assert.ok(Buffer.byteLength(log) <= 1_000, log.slice(0, 4_000))
  })

  it(`holds little of ${TIMES} checks while the audit log is full`, WITH_FULL, async () => {
    const log = await logOf(async (folder, authz) => {
      using client = clientIn(folder)
      await rm(folder.file('audit.jsonl'))
      await symlink('/dev/full', folder.file('audit.jsonl'))
      authz.signal('SIGHUP')
      // The first that cannot be recorded.
      while ((await client.check(ALICE)).allow);
      await repeat(() => client.check(ALICE))
      await repeat(() => client.check({}))
    })
    assert.match(log, /audit event lost/)
    assert.ok(Buffer.byteLength(log) <= MOST_BYTES, `${Buffer.byteLength(log)} bytes`)
  })
})
