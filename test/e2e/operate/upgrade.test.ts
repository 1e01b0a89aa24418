// docs/operate/upgrade.md and the rotation of audit-files.md, done on real processes while requests pass.

import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import * as z from 'zod'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { basic, Callers, type Caller } from './callers.ts'
import { isLoggedIn, logIn } from './logins.ts'
import { startOperatedSite, type OperatedSite } from './operated-site.ts'

const eventSchema = z.looseObject({ event: z.string(), id: z.string().optional() })

describe('operation while requests pass', { skip: skipWithoutEnvoy() }, () => {
  let site: OperatedSite
  const alice: Caller = { user: 'alice', headers: basic('alice') }
  const dora: Caller = { user: 'dora', certificate: () => 'staff/dora' }
  before(async () => {
    site = await startOperatedSite()
    // What the packages of a release bring.
    await site.machine.write(
      '/etc/countersign/countersign-0.3.0-linux-x64',
      '#!/bin/sh\nexec countersign "$@"\n',
    )
    await site.machine.program('apt', 'systemctl restart countersign-authz countersign-signer')
  })
  after(() => site[Symbol.asyncDispose]())

  it('as the page "Upgrade" says refuses no request, and users remain logged in', async (t) => {
    const session = await logIn(site, 'alice')
    const callers = new Callers(site, [alice, dora])
    await callers.again()
    await site.machine.follow('docs/operate/upgrade.md')
    await callers.again()
    assert.equal(await isLoggedIn(session), true)
    t.diagnostic(`${await callers.end()} requests`)
  })

  it('as the page "Keep audit logs" says loses no event and writes none twice', async () => {
    const callers = new Callers(site, [alice, dora])
    await callers.again()
    await site.machine.follow('docs/operate/audit-files.md', { part: 'rotate' })
    await callers.again()
    const count = await callers.end()
    const files = globSync(site.machine.path('/var/log/countersign/authz/audit.jsonl*'))
    assert.equal(files.length, 2)
    const events = (await Promise.all(files.map((file) => readFile(file, 'utf8'))))
      .flatMap((text) => text.split('\n').filter(Boolean))
      .map((line) => eventSchema.parse(JSON.parse(line)))
    const ids = events.flatMap(({ event, id }) => (event === 'decision' ? [id] : []))
    assert.equal(new Set(ids).size, ids.length)
    assert.ok(ids.length >= count, `${ids.length} decisions of ${count} requests`)
  })
})
