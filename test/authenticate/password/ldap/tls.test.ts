// TLS to a real OpenLDAP: which servers are trusted, and that other servers receive nothing.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { LdapSettings } from '../../../../src/authenticate/password/ldap/schema.ts'
import { Secret } from '../../../../src/config/references.ts'
import { skipWithoutSlapd, startOpenLdap, type OpenLdap } from '../../../servers/openldap.ts'
import { createAuthority, type Authority } from '../../../servers/pki.ts'
import { startTcpProxy } from '../../../servers/tcp-proxy.ts'
import { CONFORMANCE_USERS } from '../conformance.ts'
import { causeOf, openLdapSettings, serversAt, verifyWith } from './settings.ts'

const { password: ALICE } = CONFORMANCE_USERS.alice

describe('TLS to OpenLDAP', { skip: skipWithoutSlapd() }, () => {
  let server: OpenLdap
  let strangers: Authority
  let settings: LdapSettings
  before(async () => {
    server = await startOpenLdap({ demandTls: true })
    strangers = await createAuthority('Not ours')
    settings = await openLdapSettings(server)
  })
  after(async () => {
    await strangers[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  const CASES: readonly {
    readonly name: string
    readonly tls: () => Partial<LdapSettings> | Promise<Partial<LdapSettings>>
    readonly want: string
    readonly message?: RegExp
  }[] = [
    { name: 'the configured CA and the address of the server', tls: () => ({}), want: 'verified' },
    {
      name: 'the configured CA and a name of the server',
      tls: () => ({ serverName: 'ldap.example.org' }),
      want: 'verified',
    },
    {
      name: 'another name',
      tls: () => ({ serverName: 'ad.example.org' }),
      want: 'tls',
      message: /cannot be trusted: .*ad\.example\.org/,
    },
    {
      name: 'another address',
      tls: () => ({ serverName: '127.0.0.2' }),
      want: 'tls',
      message: /cannot be trusted: .*127\.0\.0\.2/,
    },
    {
      name: 'another CA',
      tls: async () => ({ ca: new Secret(await readFile(strangers.ca)) }),
      want: 'tls',
      message: /cannot be trusted: .*(verify|certificate|issuer)/,
    },
    {
      name: 'the CAs that Node bundles',
      tls: () => ({ ca: undefined }),
      want: 'tls',
      message: /cannot be trusted/,
    },
  ]
  for (const { name, tls, want, message = /^/ } of CASES) {
    for (const scheme of ['ldaps', 'ldap'] as const) {
      it(`${want === 'tls' ? 'refuses' : 'takes'} ${name} by ${scheme}://`, async () => {
        const port = scheme === 'ldaps' ? server.tlsPort : server.port
        await using proxy = await startTcpProxy({ port })
        const servers = serversAt(`${scheme}://127.0.0.1:${proxy.port}`)
        const all = { ...settings, servers, ...(await tls()) }
        const cause = causeOf(await verifyWith(all, 'alice', ALICE))
        assert.equal(cause.failure, want, cause.message)
        assert.match(cause.message, message)
        const sent = Buffer.concat(proxy.received).toString('latin1')
        for (const secret of [ALICE, 'service secret', 'cn=svc']) assert.ok(!sent.includes(secret))
        while (proxy.open > 0) await wait(5)
      })
    }
  }

  it('is demanded by the server, whose refusal is in the failure', async () => {
    const plain = {
      ...settings,
      servers: serversAt(`ldap://127.0.0.1:${server.port}`),
      startTls: false,
    }
    const cause = causeOf(await verifyWith(plain, 'alice', ALICE))
    assert.equal(cause.failure, 'service-refused')
    assert.match(cause.message, /refuses the service account .* result code 13$/)
  })

  it('is not used with a server that does not support it', async () => {
    const servers = serversAt(`ldaps://127.0.0.1:${server.port}`)
    const cause = causeOf(await verifyWith({ ...settings, servers }, 'alice', ALICE))
    assert.equal(cause.failure, 'tls')
  })

  it('presents a client certificate', async () => {
    await using strict = await startOpenLdap({ demandCertificate: true })
    const all = await openLdapSettings(strict)
    assert.equal((await verifyWith(all, 'alice', ALICE)).outcome, 'unavailable')
    const client = {
      certificate: new Secret(await readFile(strict.client.certificate)),
      key: new Secret(await readFile(strict.client.key)),
    }
    const withOwn = { ...all, client }
    assert.equal((await verifyWith(withOwn, 'alice', ALICE)).outcome, 'verified')
  })
})
