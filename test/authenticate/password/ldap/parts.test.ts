// The small parts: identifiers of Active Directory, URLs, values of entries, a server's health, and what a
// configuration can have wrong.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ldapProblems } from '../../../../src/authenticate/password/ldap/check.ts'
import { readServerUrl } from '../../../../src/authenticate/password/ldap/dial.ts'
import { DirectoryError } from '../../../../src/authenticate/password/ldap/failure.ts'
import { ServerHealth } from '../../../../src/authenticate/password/ldap/health.ts'
import {
  guidText,
  siblingSid,
  sidText,
} from '../../../../src/authenticate/password/ldap/identifiers.ts'
import {
  ServicePassword,
  type LdapOptions,
} from '../../../../src/authenticate/password/ldap/options.ts'
import { textsOf, valuesOf } from '../../../../src/authenticate/password/ldap/reader.ts'
import type { Entry } from '../../../../src/authenticate/password/ldap/responses.ts'
import { FakeClock } from '../../../fakes/clock.ts'
import { LIMITS } from './options.ts'

describe('an identifier of Active Directory', () => {
  it('is a GUID, with three fields turned round', () => {
    const bytes = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
    assert.equal(guidText(bytes), '33221100-5544-7766-8899-aabbccddeeff')
    assert.equal(bytes.toString('hex'), '00112233445566778899aabbccddeeff', 'untouched')
    assert.equal(guidText(bytes.subarray(1)), undefined)
  })

  it('is a SID', () => {
    const bytes = Buffer.from('010500000000000515000000dcf4dc3b833d2b46828ba62800020000', 'hex')
    assert.equal(sidText(bytes), 'S-1-5-21-1004336348-1177238915-682003330-512')
    for (const wrong of ['', '01', '0105', '020100000000000512000000', '0102000000000005120000'])
      assert.equal(sidText(Buffer.from(wrong, 'hex')), undefined, wrong)
    assert.equal(siblingSid('S-1-5-21-1-2-3-1104', '513'), 'S-1-5-21-1-2-3-513')
  })
})

describe('the URL of a server', () => {
  const GOOD: Readonly<Record<string, readonly [host: string, port: number, ldaps: boolean]>> = {
    'ldap://ad.example.org': ['ad.example.org', 389, false],
    'ldaps://ad.example.org': ['ad.example.org', 636, true],
    'ldaps://ad.example.org:3269/': ['ad.example.org', 3269, true],
    'ldap://127.0.0.1:3890': ['127.0.0.1', 3890, false],
    'ldaps://[::1]:6360': ['::1', 6360, true],
  }
  for (const [url, [host, port, ldaps]] of Object.entries(GOOD)) {
    it(`may be ${url}`, () => assert.deepEqual(readServerUrl(url), { url, host, port, ldaps }))
  }
  const BAD = [
    '',
    'ad.example.org',
    'http://ad.example.org',
    'ldapi://%2Frun%2Fldapi',
    'ldap://',
    'ldap:///dc=example',
    'ldap://ad.example.org/dc=example',
    'ldap://ad.example.org?x',
    'ldap://user:secret@ad.example.org',
    'ldap://ad.example.org:99999',
    'ldap://a b',
  ]
  for (const url of BAD) {
    it(`cannot be "${url}"`, () => assert.equal(readServerUrl(url), undefined))
  }
})

describe('the values of an entry', () => {
  const entryWith = (attributes: Readonly<Record<string, readonly Buffer[]>>): Entry => ({
    dn: 'cn=x',
    attributes: new Map(Object.entries(attributes)),
  })

  it('are found whatever the case of the name, in NFC', () => {
    const entry = entryWith({ cn: [Buffer.from('u\u0308'), Buffer.from('\ufeffx')] })
    assert.deepEqual(textsOf(entry, 'CN'), ['ü', '\ufeffx'])
    assert.deepEqual(textsOf(entry, 'sn'), [])
    const guid = entryWith({ objectguid: [Buffer.alloc(16)], objectsid: [Buffer.alloc(16)] })
    assert.deepEqual(textsOf(guid, 'objectGUID'), ['00000000-0000-0000-0000-000000000000'])
    assert.throws(() => textsOf(guid, 'objectSid'), /no text/)
  })

  it('are not those that the server chose to give', () => {
    const entry = entryWith({ memberof: [], 'memberof;range=0-1499': [Buffer.from('cn=a')] })
    assert.throws(
      () => valuesOf(entry, 'memberOf'),
      /more values of memberOf than the server gives/,
    )
    assert.deepEqual(valuesOf(entry, 'member'), [])
  })

  it('are no text where they are not UTF-8', () => {
    const entry = entryWith({ cn: [Buffer.from('ff', 'hex')] })
    assert.throws(() => textsOf(entry, 'cn'), /^DirectoryError: the entry cn=x .*no text$/)
  })
})

describe("a server's health", () => {
  const timeout = new DirectoryError('timeout', 'x')
  const unreachable = new DirectoryError('unreachable', 'x')

  it('is lost at once where no connection can be had, and tried once after a while', () => {
    const clock = new FakeClock()
    const told: unknown[] = []
    const health = new ServerHealth(1_000, clock, (failure) => told.push(failure))
    assert.equal(health.admission, 'ask')
    health.failed(unreachable)
    assert.equal(health.admission, 'leave')
    clock.advance(1_000)
    assert.equal(health.admission, 'try')
    health.trying()
    assert.equal(health.admission, 'leave', 'others leave it alone meanwhile')
    health.failed(timeout)
    assert.equal(health.admission, 'leave')
    clock.advance(999)
    assert.equal(health.admission, 'leave')
    clock.advance(1)
    health.trying()
    health.undecided()
    assert.equal(health.admission, 'try', 'whoever tried has not found out')
    health.succeeded()
    assert.equal(health.admission, 'ask')
    health.succeeded()
    assert.deepEqual(told, [unreachable, undefined], 'told once of each')
  })

  it('is lost for a minute where the service account is refused', () => {
    const clock = new FakeClock()
    const health = new ServerHealth(1_000, clock, () => undefined)
    health.failed(new DirectoryError('service-refused', 'x'))
    clock.advance(59_999)
    assert.equal(health.admission, 'leave')
    clock.advance(1)
    assert.equal(health.admission, 'try')
  })

  it('is lost with timeouts of three users, and none in between', () => {
    const clock = new FakeClock()
    const health = new ServerHealth(1_000, clock, () => undefined)
    const of = (user: string) => ({ user, began: clock.monotonic() })
    for (const user of ['a', 'b']) health.failed(timeout, of(user))
    health.succeeded()
    for (const user of ['a', 'b']) health.failed(timeout, of(user))
    assert.equal(health.admission, 'ask')
    health.failed(timeout, of('c'))
    assert.equal(health.admission, 'leave')
    assert.equal(health.last, timeout)
  })

  it('hostile: is not lost by one user, nor by many while it answers others', () => {
    const clock = new FakeClock()
    const health = new ServerHealth(1_000, clock, () => undefined)
    for (let time = 0; time < 10; time += 1) health.failed(timeout, { user: 'odd', began: 0 })
    clock.advance(10)
    health.succeeded()
    for (let user = 0; user < 10; user += 1)
      health.failed(timeout, { user: `odd${user}`, began: 0 })
    assert.equal(health.admission, 'ask')
  })

  it('hostile: is not kept from another trial by one user', () => {
    const clock = new FakeClock()
    const health = new ServerHealth(1_000, clock, () => undefined)
    health.failed(unreachable)
    clock.advance(1_000)
    health.trying()
    health.failed(timeout, { user: 'odd', began: clock.monotonic() })
    assert.equal(health.admission, 'try')
  })
})

describe('a configuration', () => {
  const search = { base: 'ou=people', scope: 'sub', filter: '(uid={user})' } as const
  const service = { dn: 'cn=svc', password: new ServicePassword('x') }
  const GOOD: LdapOptions = {
    servers: ['ldaps://ad.example.org'],
    tls: { startTls: true },
    limits: LIMITS,
    proof: { kind: 'search', service, search },
    attributes: { user: 'uid', extra: {} },
  }
  const groups = (lookup: NonNullable<LdapOptions['groups']>['lookup']): LdapOptions['groups'] => ({
    lookup,
    name: 'rdn',
    limit: 10,
  })
  const memberOf = { kind: 'attribute', attribute: 'memberOf', nested: 0 } as const
  const CASES: readonly {
    readonly name: string
    readonly options: Partial<LdapOptions>
    readonly want: readonly string[]
  }[] = [
    { name: 'nothing wrong', options: {}, want: [] },
    { name: 'no server', options: { servers: [] }, want: ['servers names no server'] },
    {
      name: 'a server that is none',
      options: { servers: ['ldaps://a', 'https://b'] },
      want: ['servers.1 must be "ldap://HOST[:PORT]" or "ldaps://…"'],
    },
    {
      name: 'a filter for everybody',
      options: { proof: { kind: 'search', service, search: { ...search, filter: '(uid=*)' } } },
      want: ['proof.search.filter must contain a placeholder'],
    },
    {
      name: 'a filter that is none',
      options: { proof: { kind: 'search', service, search: { ...search, filter: '(uid={user}' } } },
      want: ['proof.search.filter is no filter (RFC 4515): '],
    },
    {
      name: 'a base that is no DN',
      options: { proof: { kind: 'search', service, search: { ...search, base: 'people' } } },
      want: ['proof.search.base is no distinguished name'],
    },
    {
      name: 'a name for everybody',
      options: { proof: { kind: 'direct', names: ['cn=admin,dc=x'] } },
      want: ['proof.names.0 must contain "{user}"'],
    },
    {
      name: 'no name',
      options: { proof: { kind: 'direct', names: [] } },
      want: ['proof.names is empty'],
    },
    {
      name: 'a name that is no DN, and no search',
      options: { proof: { kind: 'direct', names: ['{user}@example.org'] } },
      want: ['proof.search is needed'],
    },
    { name: 'groups by attribute', options: { groups: groups(memberOf) }, want: [] },
    {
      name: 'a branch of groups that is no DN',
      options: {
        groups: { lookup: memberOf, name: 'rdn', limit: 1, under: 'x', primaryUnder: 'y' },
      },
      want: ['groups.under is no', 'groups.primaryUnder is no'],
    },
    {
      name: 'groups of everybody',
      options: {
        groups: groups({ ...search, kind: 'search', filter: '(cn=*)', nested: 0 }),
      },
      want: ['groups.lookup.filter must contain a placeholder'],
    },
    {
      name: 'nested groups found by the name of the user only',
      options: {
        groups: groups({ ...search, kind: 'search', filter: '(memberUid={user})', nested: 1 }),
      },
      want: ['groups.lookup.filter must contain a placeholder'],
    },
    {
      name: 'groups that Active Directory resolves',
      options: { groups: groups({ kind: 'ad', base: 'dc=x', filter: '(objectClass=group)' }) },
      want: [],
    },
  ]
  for (const { name, options, want } of CASES) {
    it(`has ${name}`, () => {
      const problems = ldapProblems({ ...GOOD, ...options }).map(
        ({ path, message }) => `${path.join('.')} ${message}`,
      )
      assert.equal(problems.length, want.length, problems.join('\n'))
      for (const [index, start] of want.entries()) assert.ok(problems[index]?.startsWith(start))
    })
  }
})
