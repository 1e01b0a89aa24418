// `countersign doctor` with a real OpenLDAP, Redis and Envoy: each as configured, and with each thing wrong that an
// operator gets wrong.

import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { parseConfig } from '../../../src/configuration/parse.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import type { Finding } from '../../../src/tools/doctor/examination.ts'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import { skipWithoutEnvoy, startEnvoy } from '../../servers/envoy.ts'
import { BASE, PEOPLE, SERVICE } from '../../servers/openldap-data.ts'
import { skipWithoutSlapd, startOpenLdap, type OpenLdap } from '../../servers/openldap.ts'
import { createPki, type Pki } from '../../servers/pki.ts'
import { skipWithoutRedis, startRedis, type Redis } from '../../servers/redis.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { startUpstream } from '../../servers/upstream.ts'
import { diagnose } from './site.ts'

const says = (finding: Finding | undefined, outcome: Finding['outcome'], text: RegExp): void => {
  assert.equal(finding?.outcome, outcome, JSON.stringify(finding))
  assert.match(`${finding.message} → ${finding.remedy}`, text)
}

describe('countersign doctor and a real OpenLDAP', { skip: skipWithoutSlapd() }, () => {
  let server: OpenLdap
  let folder: TemporaryFolder
  before(async () => {
    server = await startOpenLdap()
    folder = await temporaryFolder()
    await writeFile(folder.file('right'), SERVICE.password)
    await writeFile(folder.file('wrong'), 'wrong')
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const askWith = async (changes: Readonly<Record<string, unknown>>) => {
    const ldap = {
      servers: [`ldaps://127.0.0.1:${server.tlsPort}`],
      ca: server.authority.ca,
      bind: { dn: SERVICE.dn, password: 'file:right' },
      search: { base: PEOPLE, filter: '(uid={user})' },
      ...changes,
    }
    const authenticators = { staff: { basic: { verify: [{ ldap }] } } }
    return (await diagnose(folder, { authenticators })).ldap
  }

  const CASES: readonly {
    readonly name: string
    readonly changes: () => Readonly<Record<string, unknown>>
    readonly outcome?: 'ok'
    readonly want: RegExp
  }[] = [
    {
      name: 'as configured',
      changes: () => ({}),
      outcome: 'ok',
      want: /bound as .*; ou=people,.* is there/,
    },
    {
      name: 'a wrong password of the service account',
      changes: () => ({ bind: { dn: SERVICE.dn, password: 'file:wrong' } }),
      want: /refuses the service account .*: result code 49 → Correct "bind"/,
    },
    {
      name: 'a base that does not exist',
      changes: () => ({ search: { base: `ou=nope,${BASE}`, filter: '(uid={user})' } }),
      want: /cannot read ou=nope.*: result code 32 → Correct "search\.base"/,
    },
    { name: 'no CA', changes: () => ({ ca: undefined }), want: /cannot be trusted: .* → Set "ca"/ },
    {
      name: 'another name in the certificate',
      changes: () => ({ serverName: 'other.example.org' }),
      want: /cannot be trusted: .* → Set "serverName"/,
    },
    {
      name: 'TLS at the port without it',
      changes: () => ({ servers: [`ldaps://127.0.0.1:${server.port}`] }),
      want: /cannot be (trusted|reached).* → The server (does not speak TLS|ended)/,
    },
    {
      name: 'a port where no process listens',
      changes: () => ({ servers: ['ldaps://127.0.0.1:1'] }),
      want: /ECONNREFUSED.* → No process listens/,
    },
  ]
  for (const { name, changes, outcome = 'error', want } of CASES) {
    it(name, async () => says(await askWith(changes()), outcome, want))
  }

  it('is overdue while the server does not answer', async () => {
    server.pause()
    try {
      says(await askWith({}), 'error', /within|not be connected/)
    } finally {
      server.resume()
    }
  })
})

describe('countersign doctor and a real Redis', { skip: skipWithoutRedis() }, () => {
  let folder: TemporaryFolder
  before(async () => {
    folder = await temporaryFolder()
    await writeFile(folder.file('state.keys'), newGrantKeyLine())
  })
  after(() => folder[Symbol.asyncDispose]())

  const askFor = async (url: string, more: object = {}) => {
    await writeFile(folder.file('url'), url)
    const redis = { url: 'file:url', secret: 'file:state.keys', ...more }
    return await diagnose(folder, { more: { state: { redis } } })
  }

  it('that is as configured, of whose user, certificate and policy that is not so', async () => {
    await using server: Redis = await startRedis()
    const findings = await askFor(server.userUrl)
    says(findings.redis, 'ok', /answers/)
    says(findings.clock, 'ok', /^within \d s of 127\.0\.0\.1/)
    says((await askFor(server.url.replace(/:[^:@]+@/, ':wrong@'))).redis, 'error', /WRONGPASS/)
    says((await askFor(server.tlsUrl)).redis, 'error', /certificate.* → Set "ca"/)
    says((await askFor(server.tlsUrl, { ca: server.authority.ca })).redis, 'ok', /answers/)
    await server.command('CONFIG', 'SET', 'maxmemory', '100mb')
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    says((await askFor(server.url)).redis, 'warning', /allkeys-lru.* → Set maxmemory-policy/)
    await server.kill()
    says((await askFor(server.url)).redis, 'error', /ECONNREFUSED.* → No process listens/)
  })
})

describe('countersign doctor and a real Envoy', { skip: skipWithoutEnvoy() }, () => {
  let pki: Pki
  before(async () => {
    pki = await createPki()
  })
  after(() => pki[Symbol.asyncDispose]())

  it('that runs the generated configuration, another one, and not at all', async () => {
    await using folder = await temporaryFolder()
    await using upstream = await startUpstream({ identity: pki.upstream, clientCa: pki.ca })
    const envoy = {
      listener: { address: '127.0.0.1:0', ...pki.edge },
      admin: `unix:${folder.file('admin.sock')}`,
      upstreams: {
        app: { address: `127.0.0.1:${upstream.port}`, ca: pki.ca, serverName: 'localhost' },
      },
    }
    const site = { more: { envoy } }
    const absent = await diagnose(folder, site)
    says(absent.envoy, 'error', /ENOENT.* → There is no such socket/)
    says(absent.upstream, 'ok', /a certificate for localhost/)
    const file = folder.file('countersign.yaml')
    const config = parseConfig(file, await readFile(file, 'utf8'))
    assert.ok(config.ok)
    const bootstrap = renderBootstrap(config.config)
    {
      await using running = await startEnvoy({ bootstrap, concurrency: 1 })
      assert.ok(running.pid > 0)
      says((await diagnose(folder, site)).envoy, 'ok', /^Envoy 1\.\d+\.\d+ is live/)
    }
    const other = bootstrap.replace('failure_mode_allow: false', 'failure_mode_allow: true')
    assert.notEqual(other, bootstrap)
    await using running = await startEnvoy({ bootstrap: other, concurrency: 1 })
    assert.ok(running.pid > 0)
    const { envoy: found } = await diagnose(folder, site)
    says(found, 'error', /^Envoy .* → Run "countersign envoy lint --admin unix:/)
    const named = { ...envoy, upstreams: { app: { ...envoy.upstreams.app, serverName: 'x.test' } } }
    const { upstream: mistaken } = await diagnose(folder, { more: { envoy: named } })
    says(mistaken, 'error', /x\.test.* → Set "serverName"/)
  })
})
