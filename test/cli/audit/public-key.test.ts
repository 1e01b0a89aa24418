// `countersign audit public-key`, and the verification with what it prints.

import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { systemClock } from '../../../src/runtime/clock.ts'
import { openAudit } from '../../../src/audit/open.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { loaded } from '../../tools/audit-log/logs.ts'
import { countersign } from '../run.ts'

describe('countersign audit public-key', () => {
  it('prints the key by which audit verify accepts the log', async () => {
    await using folder = await temporaryFolder()
    const [path, log, printed] = [
      folder.file('audit.key'),
      folder.file('audit.jsonl'),
      folder.file('audit.pub'),
    ]
    const { privateKey } = generateKeyPairSync('ed25519')
    await writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    const checkpoints = { key: { kind: 'file', path }, every: 60_000 } as const
    const parts = { clock: systemClock, logger: memoryLogger().logger }
    const { sink } = await openAudit({ file: log, checkpoints }, 'signer', parts)
    await sink.write(loaded(1))
    sink[Symbol.dispose]()
    const { status, stdout } = await countersign(['audit', 'public-key', path])
    assert.equal(status, 0)
    assert.match(stdout, /^key id [\w-]{43}\n-----BEGIN PUBLIC KEY-----\n/)
    await writeFile(printed, stdout)
    const verified = await countersign(['audit', 'verify', log, '--key', printed])
    assert.match(verified.stdout, /^ {2}signed up to record 2$/m)
    assert.equal(verified.status, 0)
    const without = await countersign(['audit', 'verify', log])
    assert.match(without.stdout, /1 signed checkpoints are not verified: give the public key/)
  })

  it('refuses what is not a key', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('none'), 'none', { mode: 0o600 })
    const { status, stderr } = await countersign(['audit', 'public-key', folder.file('none')])
    assert.equal(status, 1)
    assert.match(stderr, /^countersign: the key of audit checkpoints is not a private key in PEM$/m)
    const key = ['audit', 'verify', folder.file('none'), '--key', folder.file('none')]
    assert.match((await countersign(key)).stderr, /none is not a key in PEM/)
  })

  it('refuses an expected record in another form', async () => {
    const { status, stderr } = await countersign(['audit', 'verify', '-', '--expect', '12'])
    assert.equal(status, 2)
    assert.match(stderr, /CHAIN:SEQUENCE:HASH/)
  })
})
