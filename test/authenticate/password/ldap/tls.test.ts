// TLS to a real OpenLDAP: whom we trust, and that nothing is sent to anybody else.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { LdapOptions } from '../../../../src/authenticate/password/ldap/options.ts'
import { skipWithoutSlapd, startOpenLdap, type OpenLdap } from '../../../servers/openldap.ts'
import { createAuthority, type Authority } from '../../../servers/pki.ts'
import { startTcpProxy } from '../../../servers/tcp-proxy.ts'
import { CONFORMANCE_USERS } from '../conformance.ts'
import { causeOf, openLdapOptions, verifyWith } from './options.ts'

const { password: ALICE } = CONFORMANCE_USERS.alice

describe('TLS to OpenLDAP', { skip: skipWithoutSlapd() }, () => {
  let server: OpenLdap
  let strangers: Authority
  let options: LdapOptions
  before(async () => {
    server = await startOpenLdap({ demandTls: true })
    strangers = await createAuthority('Not ours')
    options = await openLdapOptions(server)
  })
  after(async () => {
    await strangers[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  const CASES: readonly {
    readonly name: string
    readonly tls: (usual: LdapOptions['tls']) => Promise<LdapOptions['tls']> | LdapOptions['tls']
    readonly want: string
    readonly message?: RegExp
  }[] = [
    { name: 'our CA and its address', tls: (usual) => usual, want: 'verified' },
    {
      name: 'our CA and one of its names',
      tls: (usual) => ({ ...usual, serverName: 'ldap.example.org' }),
      want: 'verified',
    },
    {
      name: 'another name',
      tls: (usual) => ({ ...usual, serverName: 'ad.example.org' }),
      want: 'tls',
      message: /cannot be trusted: .*ad\.example\.org/,
    },
    {
      name: 'another address',
      tls: (usual) => ({ ...usual, serverName: '127.0.0.2' }),
      want: 'tls',
      message: /cannot be trusted: .*127\.0\.0\.2/,
    },
    {
      name: 'another CA',
      tls: async (usual) => ({ ...usual, ca: await readFile(strangers.ca) }),
      want: 'tls',
      message: /cannot be trusted: .*(verify|certificate|issuer)/,
    },
    {
      name: 'the CAs that Node comes with',
      tls: ({ startTls }) => ({ startTls }),
      want: 'tls',
      message: /cannot be trusted/,
    },
  ]
  for (const { name, tls, want, message = /^/ } of CASES) {
    for (const scheme of ['ldaps', 'ldap'] as const) {
      it(`${want === 'tls' ? 'refuses' : 'takes'} ${name} by ${scheme}://`, async () => {
        const port = scheme === 'ldaps' ? server.tlsPort : server.port
        await using proxy = await startTcpProxy({ port })
        const servers = [`${scheme}://127.0.0.1:${proxy.port}`]
        const all = { ...options, servers, tls: await tls(options.tls) }
        const cause = causeOf(await verifyWith(all, 'alice', ALICE))
        assert.equal(cause.failure, want, cause.message)
        assert.match(cause.message, message)
        const sent = Buffer.concat(proxy.received).toString('latin1')
        for (const secret of [ALICE, 'service secret', 'cn=svc']) assert.ok(!sent.includes(secret))
        while (proxy.open > 0) await wait(5)
      })
    }
  }

  it('is what the server demands, and its refusal is told', async () => {
    const plain = {
      ...options,
      servers: [`ldap://127.0.0.1:${server.port}`],
      tls: { ...options.tls, startTls: false },
    }
    const cause = causeOf(await verifyWith(plain, 'alice', ALICE))
    assert.equal(cause.failure, 'service-refused')
    assert.match(cause.message, /refuses the service account .* result code 13$/)
  })

  it('is not begun with a server that does not speak it', async () => {
    const servers = [`ldaps://127.0.0.1:${server.port}`]
    const cause = causeOf(await verifyWith({ ...options, servers }, 'alice', ALICE))
    assert.equal(cause.failure, 'tls')
  })

  it('can show a certificate of our own', async () => {
    await using strict = await startOpenLdap({ demandCertificate: true })
    const all = await openLdapOptions(strict)
    assert.equal((await verifyWith(all, 'alice', ALICE)).outcome, 'unavailable')
    const client = {
      certificate: await readFile(strict.client.certificate),
      key: await readFile(strict.client.key),
    }
    const withOwn = { ...all, tls: { ...all.tls, client } }
    assert.equal((await verifyWith(withOwn, 'alice', ALICE)).outcome, 'verified')
  })
})
