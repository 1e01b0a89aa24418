// A directory in a process of its own, so that its memory is not measured: it accepts every bind, and answers each
// search with the configured entries, again and again for as long as they are read.

import { createServer, type Socket } from 'node:net'
import { contentOf, elementsOf } from '../../../../src/clients/ldap/ber.ts'
import { MessageFramer } from '../../../../src/clients/ldap/framer.ts'
import { element } from '../../../../src/x509/der.ts'
import { ldapEntry, ldapMessage, ldapResponse } from '../../../fakes/ldap-server.ts'
import { found } from './scripted.ts'

const BIND = 0x60
const SEARCH = 0x63
const LARGEST = 1_000_000

/** An entry whose only attribute has so many empty values. */
const manyValues = (messageId: number, count: number): Buffer =>
  ldapMessage(
    messageId,
    0x64,
    element(0x04, Buffer.from('uid=alice')),
    element(
      0x30,
      element(
        0x30,
        element(0x04, Buffer.from('uid')),
        element(0x31, Buffer.from('0400'.repeat(count), 'hex')),
      ),
    ),
  )

const reference = (messageId: number): Buffer => ldapMessage(messageId, 0x73, element(0x04))

/** The answers to one search, repeated without end; a group has another DN each time. */
const FLOODS: ReadonlyMap<string, (messageId: number) => Buffer> = new Map([
  [
    'large entries',
    (id) => ldapEntry(id, 'uid=alice', { uid: ['alice'], jpegPhoto: ['x'.repeat(4_000_000)] }),
  ],
  [
    'small entries',
    (id) => Buffer.concat(Array(1_000).fill(ldapEntry(id, 'uid=alice', { uid: ['alice'] }))),
  ],
  ['entries of many values', (id) => manyValues(id, 1_900_000)],
  [
    'a large group',
    (id) =>
      Buffer.concat([
        ldapEntry(id, `cn=group-${id}`, { description: ['x'.repeat(1_000_000)] }),
        ldapResponse({ messageId: id, kind: 'search' }, 0),
      ]),
  ],
  ['references', (id) => Buffer.concat(Array(10_000).fill(reference(id)))],
])

// Earlier searches have one answer: 1 means the search of the user, so that the search of groups is flooded.
const [flood = '', goodSearches = ''] = process.argv.slice(2)
const make = FLOODS.get(flood)
if (make === undefined) throw new Error(`no flood is called "${flood}"`)

let searches = 0
const answer = (socket: Socket, message: Buffer): void => {
  const [id, operation] = elementsOf(contentOf(elementsOf(message)[0], 0x30))
  const messageId = contentOf(id, 0x02).readUIntBE(0, id?.content.length ?? 1)
  if (operation?.tag === BIND) socket.write(ldapResponse({ messageId, kind: 'bind' }, 0))
  if (operation?.tag !== SEARCH) return
  searches += 1
  if (searches <= Number(goodSearches)) {
    socket.write(found({ messageId, kind: 'search', before: 0, message }))
    return
  }
  const bytes = make(messageId)
  if (flood === 'a large group') {
    socket.write(bytes)
    return
  }
  const pump = (): void => {
    while (!socket.destroyed && socket.write(bytes));
  }
  socket.on('drain', pump)
  pump()
}

const server = createServer((socket) => {
  const framer = new MessageFramer(LARGEST)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    for (const message of framer.push(chunk)) answer(socket, message)
  })
})
server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
process.once('disconnect', () => process.exit())
