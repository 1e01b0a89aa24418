// What `countersign up` says of a port that another process has, where it cannot find out which one: it belongs to
// another user, or the system has no /proc.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { addressInUse } from '../../../src/cli/up/other-run.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

describe('the message about a port that another process has', () => {
  it('names the process, where /proc shows it', async () => {
    await using server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens
    const { port } = server.address() as AddressInfo
    const { message } = await addressInUse({ kind: 'tcp', host: '127.0.0.1', port })
    assert.match(
      message,
      new RegExp(
        `^cannot listen on 127\\.0\\.0\\.1:${port}: process ${process.pid} \\(node\\).* listens there\\. End it, or change envoy\\.listener\\.address$`,
      ),
    )
  })

  const COMMANDS = {
    linux: "sudo ss -ltnp 'sport = :8443'",
    darwin: 'sudo lsof -nP -iTCP:8443 -sTCP:LISTEN',
  } as const
  for (const [platform, command] of Object.entries(COMMANDS)) {
    it(`says how to find the process where it is not known, on ${platform}`, async () => {
      await using proc = await temporaryFolder()
      const address = { kind: 'tcp', host: '127.0.0.1', port: 8_443 } as const
      const { message } = await addressInUse(address, { proc: proc.path, platform })
      assert.equal(
        message,
        `cannot listen on 127.0.0.1:8443: another process listens there (\`${command}\` shows it). End it, or change envoy.listener.address`,
      )
    })
  }
})
