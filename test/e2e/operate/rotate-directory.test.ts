// The sections "LDAP" and "RADIUS" of docs/operate/rotate-secrets.md: a second account takes the place of the first, and one of two
// servers has another secret for a while; requests pass.

import assert from 'node:assert/strict'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { CONFORMANCE_USERS } from '../../authenticate/password/conformance.ts'
import { until } from '../../fakes/until.ts'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutFreeRadius, startFreeRadius } from '../../servers/freeradius.ts'
import { ldifReplace } from '../../servers/ldif.ts'
import { skipWithoutSlapd, startOpenLdap } from '../../servers/openldap.ts'
import { ADMIN, PEOPLE, SERVICE } from '../../servers/openldap-data.ts'
import { basic, HOST, startSite } from '../site.ts'

const ALICE = basic('alice', CONFORMANCE_USERS.alice.password)

describe('the account of a directory', { skip: skipWithoutEnvoy() || skipWithoutSlapd() }, () => {
  it('is replaced by another: no request fails, and the first one is no longer used', async () => {
    await using ldap = await startOpenLdap()
    const secret = async (name: string, password: string): Promise<string> => {
      const file = join(ldap.authority.folder, name)
      await writeFile(file, password, { mode: 0o600 })
      return `file:${file}`
    }
    const directory = {
      servers: [`ldaps://127.0.0.1:${ldap.tlsPort}`],
      ca: ldap.authority.ca,
      bind: { dn: SERVICE.dn, password: await secret('first', SERVICE.password) },
      search: { base: PEOPLE },
    }
    await using site = await startSite({ verify: [{ ldap: directory }] })
    const end = new AbortController()
    const statuses: number[] = []
    const ask = async (): Promise<void> => {
      const { status } = await http1(site.target, { host: HOST, headers: [ALICE] })
      statuses.push(status)
    }
    const asking = (async () => {
      while (!end.signal.aborted) await ask()
    })()
    await until(() => statuses.length > 2)

    const config = parse(await readFile(site.files.config, 'utf8'))
    config.authenticators.staff.basic.verify[0].ldap.bind = {
      dn: ADMIN.dn,
      password: await secret('second', ADMIN.password),
    }
    await writeFile(`${site.files.config}.new`, stringify(config))
    await rename(`${site.files.config}.new`, site.files.config)
    await until(() => site.authz.log.includes('configuration loaded'))
    await ldap.modify(ldifReplace(SERVICE.dn, { userPassword: 'no longer valid' }))

    // SIGHUP clears the cache, so that the password is verified at the directory.
    const reloads = (): number => site.authz.log.split('configuration loaded').length
    const before = reloads()
    site.authz.signal('SIGHUP')
    await until(() => reloads() > before)
    const { length } = statuses
    await until(() => statuses.length > length + 2)
    end.abort()
    await asking
    assert.deepEqual([...new Set(statuses)], [200])
    assert.doesNotMatch(site.authz.log, /directory failed/)
  })
})

describe(
  'the secret of a RADIUS server',
  { skip: skipWithoutEnvoy() || skipWithoutFreeRadius() },
  () => {
    it('is replaced at one of two servers: meanwhile the other one answers', async (t) => {
      const { user, password } = { user: 'alice', password: CONFORMANCE_USERS.alice.password }
      await using first = await startFreeRadius([{ name: user, password }])
      await using second = await startFreeRadius([{ name: user, password }])
      const files = [first, second].map(({ authority }) => join(authority.folder, 'radius.secret'))
      const [file = ''] = files
      for (const each of files) await writeFile(each, first.secret, { mode: 0o600 })
      const servers = [first, second].map(({ port }, index) => ({
        host: `127.0.0.1:${port}`,
        secret: `file:${files[index]}`,
      }))
      await using site = await startSite({ verify: [{ radius: { servers } }] })
      /** A password that no cache has: the reload clears it. */
      const verified = async (): Promise<number> => {
        const loaded = (): number => site.authz.log.split('configuration loaded').length
        const before = loaded()
        site.authz.signal('SIGHUP')
        await until(() => loaded() > before)
        const began = performance.now()
        const { status } = await http1(site.target, { host: HOST, headers: [ALICE] })
        t.diagnostic(`${status} after ${Math.round(performance.now() - began)} ms`)
        return status
      }
      assert.equal(await verified(), 200)
      await writeFile(file, 'another secret than the server has', { mode: 0o600 })
      assert.equal(await verified(), 200)
      assert.equal(await verified(), 200)
      await writeFile(file, first.secret, { mode: 0o600 })
      await second.kill()
      assert.equal(await verified(), 200, 'the first one answers again')
    })
  },
)
