// An answer that the upstream begins and does not complete leaves a line. Its status is that of a success; a flag of Envoy marks it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { skipWithoutEnvoy } from '../servers/envoy.ts'
import { sendRaw } from '../servers/raw-client.ts'
import { HOST, startEdge } from './edge.ts'
import { lineOf } from './refusal-lines.ts'

describe('an answer that the upstream does not complete', { skip: skipWithoutEnvoy() }, () => {
  it('leaves a line, though its status is 200', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- listens on TCP
    const { port } = server.address() as AddressInfo
    await using edge = await startEdge({
      routes: [{ name: 'half', match: { hosts: [HOST] } }],
      further: () => ({ half: { address: `127.0.0.1:${port}` } }),
    })
    const line = await lineOf(
      () => edge.refusals(),
      () => sendRaw(edge.target, { line: 'GET / HTTP/1.1', headers: [['Host', HOST]] }),
    )
    server.close()
    assert.match(String(line['reason']), /^upstream_reset_after_response_started/)
    assert.deepEqual([line['flags'], line['status']], ['UPE', 200])
  })
})
