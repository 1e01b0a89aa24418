import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { http1, valuesOf } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import {
  skipWithoutFreeRadius,
  startFreeRadius,
  type FreeRadius,
} from '../../servers/freeradius.ts'
import { skipWithoutSlapd, startOpenLdap, type OpenLdap } from '../../servers/openldap.ts'
import { GROUPS, PEOPLE, SERVICE } from '../../servers/openldap-data.ts'
import { CONFORMANCE_USERS } from '../../authenticate/password/conformance.ts'
import { basic, eventually, HOST, PASSWORDS, received, startSite, type Site } from '../site.ts'

const ALICE = basic('alice', CONFORMANCE_USERS.alice.password)
const BOB = basic('bob', PASSWORDS.bob) // in the users file alone

const reasonOf = async (site: Site): Promise<string | undefined> =>
  (await site.events()).at(-1)?.reason

const send = (site: Site, line = ALICE) => http1(site.target, { host: HOST, headers: [line] })

/** What must hold whichever server proves the password. */
const outage = (
  site: () => Site,
  server: () => { kill(): Promise<void>; start(): Promise<void> },
  failure: RegExp,
) => {
  it('a wrong password: 401, and the second verifier is not called', async () => {
    assert.equal((await send(site(), basic('alice', 'guess'))).status, 401)
    assert.equal(await reasonOf(site()), 'credential-wrong')
  })

  it('the directory is down: 503 with Retry-After, never 401', async () => {
    await server().kill()
    const answer = await send(site(), basic('alice', 'another guess'))
    assert.equal(answer.status, 503)
    assert.equal(valuesOf(answer, 'retry-after').length, 1)
    const { reason, detail = '' } = (await site().events()).at(-1) ?? {}
    assert.equal(reason, 'authenticator-unavailable')
    assert.match(detail, failure)
    // Nothing of what the caller sent: a password may be in the wrong field.
    assert.doesNotMatch(detail, /alice|guess/)
    await send(site(), basic('alice', 'one more guess'))
    assert.match((await site().events()).at(-1)?.detail ?? '', failure)
  })

  it('the directory is up again: requests are served', async () => {
    await server().start()
    await eventually(
      async () => (await send(site(), basic('alice', 'a third guess'))).status,
      (status) => status === 401,
      20_000,
    )
    assert.equal((await send(site())).status, 200)
  })
}

describe('LDAP through Envoy', { skip: skipWithoutEnvoy() || skipWithoutSlapd() }, () => {
  let ldap: OpenLdap
  let site: Site
  before(async () => {
    ldap = await startOpenLdap()
    const secret = join(ldap.authority.folder, 'svc.password')
    await writeFile(secret, `${SERVICE.password}\n`, { mode: 0o600 })
    const directory = {
      servers: [`ldaps://127.0.0.1:${ldap.tlsPort}`],
      ca: ldap.authority.ca,
      bind: { dn: SERVICE.dn, password: `file:${secret}` },
      search: { base: PEOPLE },
      groups: { search: { base: GROUPS, nested: 4 } },
      coolDown: '500ms',
    }
    site = await startSite({
      verify: [{ ldap: directory }, { users: { file: 'users.yaml' } }],
    })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await ldap[Symbol.asyncDispose]()
  })

  it('a password in, the directory’s name and groups out', async () => {
    const answer = await send(site)
    assert.equal(answer.status, 200)
    assert.deepEqual(received(answer, 'x-remote-user'), ['alice'])
    assert.ok(received(answer, 'x-remote-group').length > 0)
  })

  it('an unknown user: the next verifier is called', async () => {
    assert.equal((await send(site, BOB)).status, 401) // bob of the directory is another one
    const jürgen = basic('mallory', PASSWORDS.mallory)
    assert.equal((await send(site, jürgen)).status, 403)
    assert.equal(await reasonOf(site), 'identity-reserved')
  })

  outage(
    () => site,
    () => ldap,
    /^LDAP: (?:unreachable|closed)(?:, a moment ago)?$/,
  )
})

describe('RADIUS through Envoy', { skip: skipWithoutEnvoy() || skipWithoutFreeRadius() }, () => {
  let radius: FreeRadius
  let site: Site
  before(async () => {
    radius = await startFreeRadius([
      {
        name: 'alice',
        password: CONFORMANCE_USERS.alice.password,
        reply: ['Class = "developers"', 'Class += "staff"'],
      },
      { name: 'carol', password: 'c', second: 'code', reply: [] },
    ])
    const secret = join(radius.authority.folder, 'radius.secret')
    await writeFile(secret, radius.secret, { mode: 0o600 })
    const servers = [{ host: `127.0.0.1:${radius.port}`, secret: `file:${secret}` }]
    const groups = [{ attribute: 'Class', prefix: 'radius:' }]
    site = await startSite({ verify: [{ radius: { servers, groups, timeout: '2s' } }] })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await radius[Symbol.asyncDispose]()
  })

  it('a password in, the Class attributes of the reply out as groups', async () => {
    const answer = await send(site)
    assert.equal(answer.status, 200)
    assert.deepEqual(received(answer, 'x-remote-group'), ['radius:developers', 'radius:staff'])
  })

  it('a challenge: refused, since HTTP Basic cannot display it', async () => {
    assert.equal((await send(site, basic('carol', 'c'))).status, 401)
    assert.equal(await reasonOf(site), 'second-factor-required')
  })

  outage(
    () => site,
    () => radius,
    /^RADIUS: .*127\.0\.0\.1:\d+: /,
  )
})
