// An LDAP server that says what a test has written down, right or wrong; it notes every bind.

import { createServer, type Server, type Socket } from 'node:net'
import { contentOf, elementsOf } from '../../src/clients/ldap/ber.ts'
import { MessageFramer } from '../../src/clients/ldap/framer.ts'
import { element } from '../../src/x509/der.ts'

/** A request, as far as the fake looks into it. */
export interface LdapRequest {
  readonly messageId: number
  readonly kind: 'bind' | 'search' | 'start-tls' | 'unbind' | 'other'
  /** The number of requests of this kind before, on all connections. */
  readonly before: number
  /** All of it. */
  readonly message: Buffer
}

/** A bind that the server has seen. */
interface SeenBind {
  readonly dn: string
  readonly password: string
}

/** A running fake. */
export interface LdapServer extends AsyncDisposable {
  readonly port: number
  readonly binds: readonly SeenBind[]
}

/** Bytes to answer with; none: silence; `end`: the connection is closed. */
export type LdapAnswer = Buffer | 'end' | undefined

const KINDS: Readonly<Record<number, LdapRequest['kind']>> = {
  0x60: 'bind',
  0x63: 'search',
  0x77: 'start-tls',
  0x42: 'unbind',
}
const LARGEST = 1_000_000

/** Starts a fake that answers each request so. */
export const startLdapServer = async (
  answer: (request: LdapRequest) => LdapAnswer,
): Promise<LdapServer> => {
  const binds: SeenBind[] = []
  const counts = new Map<string, number>()
  const sockets = new Set<Socket>()
  const take = (socket: Socket, message: Buffer): void => {
    const [id, operation] = elementsOf(contentOf(elementsOf(message)[0], 0x30))
    const kind = KINDS[operation?.tag ?? 0] ?? 'other'
    if (kind === 'bind' && operation !== undefined) binds.push(readBind(operation.content))
    const before = counts.get(kind) ?? 0
    counts.set(kind, before + 1)
    const messageId = contentOf(id, 0x02).readUIntBE(0, id?.content.length ?? 1)
    const said = answer({ messageId, kind, before, message })
    if (said === 'end') socket.destroy()
    else if (said !== undefined) socket.write(said)
  }
  const server = createServer((socket) => {
    const framer = new MessageFramer(LARGEST)
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      // After StartTLS there is TLS, which the fake does not speak.
      if (chunk[0] !== 0x30) return
      for (const message of framer.push(chunk)) take(socket, message)
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    port: portOf(server),
    binds,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

const portOf = (server: Server): number => {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the fake is not bound')
  return address.port
}

const readBind = (content: Buffer): SeenBind => {
  const [, name, secret] = elementsOf(content)
  return { dn: contentOf(name, 0x04).toString(), password: contentOf(secret, 0x80).toString() }
}

/** A message with an operation in it. */
export const ldapMessage = (
  messageId: number,
  operation: number,
  ...contents: readonly Buffer[]
): Buffer =>
  element(0x30, element(0x02, Buffer.of(messageId)), element(operation, Buffer.concat(contents)))

/** The contents of an LDAPResult. */
export const ldapResult = (code: number, diagnostic = ''): Buffer =>
  Buffer.concat([
    element(0x0a, Buffer.of(code)),
    element(0x04),
    element(0x04, Buffer.from(diagnostic)),
  ])

/** A response of the kind that fits the request. */
export const ldapResponse = (
  { messageId, kind }: Pick<LdapRequest, 'messageId' | 'kind'>,
  code: number,
  diagnostic = '',
): Buffer =>
  ldapMessage(
    messageId,
    kind === 'bind' ? 0x61 : kind === 'search' ? 0x65 : 0x78,
    ldapResult(code, diagnostic),
  )

/** An entry, to be sent before the end of a search. */
export const ldapEntry = (
  messageId: number,
  dn: string,
  attributes: Readonly<Record<string, readonly string[]>>,
): Buffer =>
  ldapMessage(
    messageId,
    0x64,
    element(0x04, Buffer.from(dn)),
    element(
      0x30,
      ...Object.entries(attributes).map(([name, values]) =>
        element(
          0x30,
          element(0x04, Buffer.from(name)),
          element(0x31, ...values.map((value) => element(0x04, Buffer.from(value)))),
        ),
      ),
    ),
  )
