// Refusals that are counted while the audit log cannot be written.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { rm, symlink } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../servers/temporary.ts'
import { FLOODING, open, readLog, refusal, total } from './budgeting.ts'

describe('refusals in summaries while the disk is full', { skip: !existsSync('/dev/full') }, () => {
  it('fail where they have an event of their own; counts are kept until they can be written', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('audit.jsonl')
    await symlink('/dev/full', path)
    const written = open(folder)
    const { audit } = written
    const permit = refusal(FLOODING, { decision: 'allow', authentication: 'basic' })
    await assert.rejects(audit.write(permit), { code: 'audit-unwritable' })
    const writes = await Promise.allSettled(
      Array.from({ length: 1_000 }, () => audit.write(refusal(FLOODING))),
    )
    const failed = writes.filter(({ status }) => status === 'rejected').length
    assert.ok(failed > 0)
    await audit.summarise()
    await rm(path)
    audit.reopen()
    await written[Symbol.asyncDispose]()
    assert.equal(failed + total((await readLog(path)).summaries), 1_000)
  })

  it('are counted in the operational log where the disk stays full until the end', async () => {
    await using folder = await temporaryFolder()
    await symlink('/dev/full', folder.file('audit.jsonl'))
    const written = open(folder)
    const { audit, log } = written
    await Promise.allSettled(Array.from({ length: 1_000 }, () => audit.write(refusal(FLOODING))))
    await written[Symbol.asyncDispose]()
    assert.equal(log.length, 1)
    assert.match(log[0] ?? '', /"refusals":\d+,"msg":"refusals not recorded"/)
  })
})
