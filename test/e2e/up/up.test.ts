import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { ALICE, eventually, received } from '../site.ts'
import { exitOf, isAlive, launch, startUp, writeCertificateSite, writeSite } from './running.ts'

// Without it Envoy outlives a SIGKILL of its parent (see runtime/child.ts).
const withoutSetpriv = existsSync('/usr/bin/setpriv')
  ? false
  : 'setpriv (util-linux) is not installed'

describe('countersign up', { skip: skipWithoutEnvoy() }, () => {
  it('starts Envoy and authz, prints their addresses, and forwards', async () => {
    await using up = await startUp()
    const answer = await http1(up.target, { headers: [ALICE] })
    assert.equal(answer.status, 200)
    assert.deepEqual(received(answer, 'x-remote-user'), ['alice'])
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends both with status 0 on ${signal}`, async () => {
      await using up = await startUp()
      const children = up.children()
      up.process.kill(signal)
      assert.equal(await up.ended, 0)
      assert.deepEqual(children.filter(isAlive), [])
    })
  }

  for (const victim of ['authz', 'envoy'] as const) {
    it(`ends with status 1, and ends the other, when ${victim} dies`, async () => {
      await using up = await startUp()
      const children = up.children()
      process.kill(up.child(victim), 'SIGKILL')
      assert.equal(await up.ended, 1)
      assert.match(
        up.log(),
        victim === 'authz' ? /authz ended by SIGKILL/ : /Envoy ended by SIGKILL/,
      )
      assert.deepEqual(children.filter(isAlive), [])
    })
  }

  it('starts the signer as well where a route forwards certificates', async () => {
    await using up = await startUp(writeCertificateSite)
    assert.equal(up.children().length, 3)
    const answer = await http1(up.target, { headers: [ALICE] })
    assert.equal(answer.status, 200)
    assert.match(answer.body, /"subject":"CN=alice"/)
    process.kill(up.child('signer'), 'SIGKILL')
    assert.equal(await up.ended, 1)
    assert.match(up.log(), /signer ended by SIGKILL/)
  })

  it('reports a missing configuration of the signer', async () => {
    await using site = await writeCertificateSite()
    const { process: child, log } = launch(site.config, {
      args: ['--signer-config', '/nowhere/signer.yaml'],
    })
    assert.equal(await exitOf(child), 1)
    assert.match(log(), /\/nowhere\/signer\.yaml does not exist/)
  })

  it('leaves no process when it is killed (SIGKILL)', { skip: withoutSetpriv }, async () => {
    await using up = await startUp()
    const children = up.children()
    assert.equal(children.length, 2)
    up.process.kill('SIGKILL')
    await up.ended
    const left = (): Promise<readonly number[]> => Promise.resolve(children.filter(isAlive))
    await eventually(left, ({ length }) => length === 0)
  })

  it('forwards SIGHUP: authz reloads', async () => {
    await using up = await startUp()
    up.process.kill('SIGHUP')
    await eventually(
      () => Promise.resolve(up.log()),
      (log) => log.includes('configuration loaded'),
    )
    assert.equal((await http1(up.target, { headers: [ALICE] })).status, 200)
  })

  it('reports a wrong configuration, and starts nothing', async () => {
    await using folder = await temporaryFolder()
    const config = folder.file('countersign.yaml')
    await writeFile(config, 'version: 1\nsurprise: true\n')
    const { process: child, log } = launch(config)
    assert.equal(await exitOf(child), 1)
    assert.match(log(), /countersign\.yaml:2:1: surprise: unknown key/)
  })

  it('says where to get an Envoy when the configured one does not exist', async () => {
    await using site = await writeSite()
    const { process: child, log } = launch(site.config, { args: ['--envoy', '/nowhere/envoy'] })
    assert.equal(await exitOf(child), 1)
    assert.match(log(), /there is no Envoy at \/nowhere\/envoy/)
  })
})
