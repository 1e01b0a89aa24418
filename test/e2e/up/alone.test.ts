// `countersign up` has its port, its folder and its administration interface alone, and says who has them otherwise.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { get } from '../../../src/envoy/admin.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy, startEnvoy } from '../../servers/envoy.ts'
import { freePort } from '../../servers/ports.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { ALICE } from '../site.ts'
import { exitOf, launch, startUp, writeSite, type WrittenSite } from './running.ts'

const siteAt = (port: number) => (): Promise<WrittenSite> =>
  writeSite({ address: `127.0.0.1:${port}` })

/** Runs it to its end, which must be a failure without anything being ready. */
const failure = async (config: string, more: readonly string[] = []): Promise<string> => {
  const { process: child, log } = launch(config, { args: more })
  assert.equal(await exitOf(child), 1, log())
  assert.doesNotMatch(log(), /ready, listening/)
  return log()
}

describe('countersign up next to another', { skip: skipWithoutEnvoy() }, () => {
  it('exits with 1 when another one has the port, and names its folder and process', async () => {
    const port = await freePort()
    await using first = await startUp(siteAt(port))
    await using second = await siteAt(port)()
    const log = await failure(second.config)
    assert.equal(log.trim().split('\n').length, 1, log)
    const envoy = first.child('envoy')
    assert.ok(log.includes(`cannot listen on 127.0.0.1:${port}: process ${envoy} (envoy)`), log)
    assert.ok(log.includes(`in ${first.site.folder}, process ${first.process.pid}`), log)
    assert.equal((await http1(first.target, { headers: [ALICE] })).status, 200)
  })

  it('keeps its port: another Envoy that begins later cannot share it', async () => {
    const port = await freePort()
    await using first = await startUp(siteAt(port))
    await using other = await siteAt(port)()
    const { config } = await readConfig(other.config, new ConfigurationFiles())
    const sharing = async (): Promise<void> => {
      await using _ = await startEnvoy({ bootstrap: renderBootstrap(config) })
    }
    await assert.rejects(sharing, /Address already in use/)
    assert.equal((await http1(first.target, { headers: [ALICE] })).status, 200)
  })

  it('exits with 1 when an Envoy that shares its port has it', async () => {
    const port = await freePort()
    await using other = await siteAt(port)()
    const { config } = await readConfig(other.config, new ConfigurationFiles())
    await using envoy = await startEnvoy({ bootstrap: renderBootstrap(config) })
    await using site = await siteAt(port)()
    assert.match(await failure(site.config), new RegExp(`: process ${envoy.pid} \\(envoy\\)`))
  })

  it('exits with 1 in the folder of another one, and names its process', async () => {
    await using first = await startUp()
    const { folder, config } = first.site
    const other = join(folder, 'other.yaml')
    await copyFile(config, other)
    const log = await failure(other)
    assert.ok(log.includes(`runs in ${folder}: process ${first.process.pid} on`), log)
  })

  it('starts in the folder of one that was killed', async () => {
    await using first = await startUp()
    const { folder } = first.site
    first.process.kill('SIGKILL')
    await first.ended
    await using second = await startUp(async () => ({
      ...first.site,
      async [Symbol.asyncDispose]() {},
    }))
    assert.equal(second.site.folder, folder)
  })

  it('has the administration interface at its default place while it runs', async () => {
    await using up = await startUp(async () => {
      const site = await writeSite()
      const config = parse(await readFile(site.config, 'utf8'))
      delete config.envoy.admin
      await writeFile(site.config, stringify(config))
      return site
    })
    const path = join(up.site.folder, 'run/envoy-admin.sock')
    assert.equal((await get({ kind: 'unix', path }, '/ready')).body, 'LIVE\n')
    up.process.kill('SIGTERM')
    await up.ended
    assert.ok(!existsSync(path))
  })

  it('does not take the administration interface of another Envoy for its own', async () => {
    await using folder = await temporaryFolder()
    const admin = folder.file('admin.sock')
    await using first = await startUp(withAdmin(admin))
    await using second = await withAdmin(admin)()
    assert.match(await failure(second.config), /another process listens on unix:.*admin\.sock/)
    assert.equal((await http1(first.target, { headers: [ALICE] })).status, 200)
  })
})

const withAdmin = (path: string) => async (): Promise<WrittenSite> => {
  const site = await writeSite()
  const config = parse(await readFile(site.config, 'utf8'))
  config.envoy.admin = `unix:${path}`
  await writeFile(site.config, stringify(config))
  return site
}
