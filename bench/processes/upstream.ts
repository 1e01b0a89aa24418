// The upstream: TLS, knows Envoy or the caller by the certificate of the connection, and says in a few
// header lines what it saw. It reads requests without a body only, and is no more than that takes.

import { readFileSync } from 'node:fs'
import { createServer, type TLSSocket } from 'node:tls'
import { z } from 'zod'
import { answerQuestions } from './answer.ts'

const questionSchema = z.object({
  certificate: z.string(),
  key: z.string(),
  clientCas: z.array(z.string()),
})

const END_OF_HEAD = '\r\n\r\n'

const serve = (socket: TLSSocket): void => {
  // Of the connection, so of every request on it. Node has a line for each attribute.
  const certificate = socket.getPeerX509Certificate()?.subject?.replaceAll('\n', '|') ?? ''
  let pending = ''
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1')
    for (let end = pending.indexOf(END_OF_HEAD); end !== -1; end = pending.indexOf(END_OF_HEAD)) {
      socket.write(answerTo(pending.slice(0, end), certificate))
      pending = pending.slice(end + END_OF_HEAD.length)
    }
  })
}

const answerTo = (head: string, certificate: string): string => {
  const seen = (name: string): string => {
    const values: string[] = []
    const start = `\r\n${name}: `
    for (let at = head.indexOf(start); at !== -1; at = head.indexOf(start, at + 1)) {
      const from = at + start.length
      const end = head.indexOf('\r\n', from)
      values.push(head.slice(from, end === -1 ? undefined : end))
    }
    return values.join('|')
  }
  const credential = head.includes('\r\nauthorization: ') ? 'yes' : 'no'
  return (
    `HTTP/1.1 200 OK\r\ncontent-length: 3\r\nx-saw-user: ${seen('x-remote-user')}\r\n` +
    `x-saw-groups: ${seen('x-remote-group')}\r\nx-saw-credential: ${credential}\r\n` +
    `x-saw-certificate: ${certificate}\r\n\r\nok\n`
  )
}

answerQuestions(async (message): Promise<number> => {
  const { certificate, key, clientCas } = questionSchema.parse(message)
  const server = createServer(
    {
      cert: readFileSync(certificate),
      key: readFileSync(key),
      ca: clientCas.map((file) => readFileSync(file)),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['http/1.1'],
      // As servers of HTTP have it. Without, the first answer waits 40 ms behind the session tickets.
      noDelay: true,
    },
    serve,
  )
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the upstream is not bound')
  return address.port
})
