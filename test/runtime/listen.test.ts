// Addresses that are listened on; a UNIX socket and who can reach it, from its first moment on.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { admitToSocket, boundAddress, listen, prepareSocket } from '../../src/runtime/listen.ts'
import { temporaryFolder, type TemporaryFolder } from '../servers/temporary.ts'

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

describe('an address that cannot be listened on', () => {
  it('that another process has is an error with the command that shows the process', async () => {
    await using server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = boundAddress(server, { kind: 'tcp', host: '127.0.0.1', port: 0 })
    await assert.rejects(listen(createServer(), address), {
      code: 'listen-failed',
      message:
        /^cannot listen on 127\.0\.0\.1:\d+: another process listens there \(`sudo (?:ss|lsof) .*` shows it\)\. End it, or change the address \(EADDRINUSE\)$/,
    })
  })

  it('that this machine does not have is an error that says so', async () => {
    const address = { kind: 'tcp', host: '192.0.2.1', port: 0 } as const // RFC 5737
    await assert.rejects(listen(createServer(), address), {
      code: 'listen-failed',
      message:
        'cannot listen on 192.0.2.1:0: no network interface of this machine has the address 192.0.2.1 (EADDRNOTAVAIL)',
    })
  })
})

describe('a UNIX socket', () => {
  let folder: TemporaryFolder
  before(async () => {
    folder = await temporaryFolder()
  })
  after(async () => await folder[Symbol.asyncDispose]())

  it('belongs to this user alone between its making and its opening, whatever the umask', async () => {
    process.umask(0)
    const path = folder.file('run/s.sock')
    await prepareSocket(path)
    await using server = createServer().listen(path)
    await once(server, 'listening')
    // A user who may not write may not connect (unix(7)).
    assert.equal((await modeOf(path)) & 0o022, 0)
    await admitToSocket(path, { mode: 0o660 })
    assert.equal(await modeOf(path), 0o660)
  })

  it('keeps an umask that is stricter', async () => {
    process.umask(0o077)
    await prepareSocket(folder.file('strict.sock'))
    assert.equal(process.umask(0o022), 0o077)
  })

  it('a UNIX socket that cannot be made or given away is an error that says so', async () => {
    await writeFile(folder.file('file'), '')
    await assert.rejects(prepareSocket(folder.file('file/s.sock')), {
      code: 'listen-failed',
      message: /^cannot listen on unix:\S+s\.sock: \S+\/file is a file, not a folder$/,
    })
    await assert.rejects(admitToSocket(folder.file('none.sock'), { mode: 0o600, group: 1 }), {
      code: 'listen-failed',
      message: /^cannot listen on unix:.*none\.sock/,
    })
  })

  it('belongs in a folder where no other user can replace it', async () => {
    const CASES = [
      { mode: 0o755, fits: true },
      { mode: 0o770, fits: true },
      { mode: 0o777, fits: false },
      { mode: 0o702, fits: false },
      { mode: 0o1777, fits: true },
    ]
    await mkdir(folder.file('shared'))
    for (const { mode, fits } of CASES) {
      await chmod(folder.file('shared'), mode)
      const required = prepareSocket(folder.file('shared/s.sock'))
      if (fits) await required
      else await assert.rejects(required, { code: 'listen-failed' }, mode.toString(8))
    }
  })
})
