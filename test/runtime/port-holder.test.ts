import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename } from 'node:path'
import { describe, it } from 'node:test'
import { listen } from '../../src/runtime/listen.ts'
import { portHolder, processInfo } from '../../src/runtime/port-holder.ts'
import { freePort } from '../servers/ports.ts'

const skip = existsSync('/proc/net/tcp') ? false : 'needs /proc of Linux'

describe('the process that listens on a port', { skip }, () => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
    it(`is found where it listens on ${host}`, async (t) => {
      const port = await freePort()
      const server = createServer()
      t.after(() => server.close())
      await listen(server, { kind: 'tcp', host, port })
      const holder = await portHolder('127.0.0.1', port)
      assert.equal(holder?.pid, process.pid)
      assert.equal(holder?.folder, process.cwd())
      assert.equal(basename(holder?.args[0] ?? ''), basename(process.argv0))
    })
  }

  it('is not one that listens on another address', async (t) => {
    const port = await freePort()
    const server = createServer()
    t.after(() => server.close())
    await listen(server, { kind: 'tcp', host: '127.0.0.2', port })
    assert.equal(await portHolder('127.0.0.1', port), undefined)
  })

  it('is not found where nothing listens', async () => {
    assert.equal(await portHolder('127.0.0.1', await freePort()), undefined)
  })

  it('has the parent of a process, and nothing of one that does not exist', async () => {
    assert.equal((await processInfo(process.pid))?.parent, process.ppid)
    assert.equal(await processInfo(2 ** 30), undefined)
  })
})
