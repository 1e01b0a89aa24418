// The gateway as Istio makes it, and then with the EnvoyFilter: credentials in, headers and tokens out,
// what callers forge, and upgrades. Steps are in README.md.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { jwtVerify } from 'jose'
import { z } from 'zod'
import { http1, http2, type HeaderLine } from '../../servers/client.ts'
import type { KeyPair } from '../../servers/pki.ts'
import { basic, eventually, received } from '../site.ts'
import { askPlainly, echoed, reportedIdentity, upgrade, verdictOf } from './asking.ts'
import { ALICE_BY_TOKEN, PASSWORD } from './configuration.ts'
import { addingUpgrade, filterWithLogins, meshConfig, published } from './files.ts'
import { apply } from './mesh.ts'
import { HOSTS, skipWithoutServers, startIstioSite, type IstioSite } from './site.ts'

const ALICE = basic('alice', PASSWORD)
const FORGED: readonly HeaderLine[] = [
  ['X-Remote-User', 'root'],
  ['X-Remote-Group', 'system:masters'],
  ['X_Remote_User', 'root'],
  ['Audit-ID', 'forged'],
  ['X.Remote.User', 'root'],
  ['X-Remote~Group', 'system:masters'],
  ['Audit!ID', 'forged'],
]
const TOKEN_LIFE = 4

const bearer = (token: string): HeaderLine => ['Authorization', `Bearer ${token}`]

const skip = skipWithoutServers()

describe('an ingress gateway of Istio', { skip, timeout: 180_000 }, () => {
  let site: IstioSite
  /** A certificate that counts, and whose key its owner alone has. */
  let boss: HeaderLine
  /** The same subject by a CA that is not trusted. */
  let stranger: KeyPair
  before(async () => {
    site = await startIstioSite()
    const { callers, pki } = site
    const { certificate } = await callers.issue({ commonName: 'boss', usage: 'client' })
    const pem = encodeURIComponent(await readFile(certificate, 'utf8'))
    boss = ['X-Forwarded-Client-Cert', `Cert="${pem}";Subject="CN=boss"`]
    stranger = pki.alice
  })
  after(() => site[Symbol.asyncDispose]())

  const identityFor = async (
    client?: KeyPair,
    headers: readonly HeaderLine[] = [],
  ): Promise<string> =>
    await reportedIdentity(site, await http1(site.target(HOSTS.api, client), { headers }))

  /** Everything that an attacker has tried, and what it came to. */
  const nobodyForges = (groups: string): void => {
    it('does not trust identities that callers write in X-Forwarded-Client-Cert', async () => {
      assert.equal(await identityFor(undefined, [boss]), '401 credential-missing')
      assert.equal(await identityFor(undefined, [boss, boss]), '401 credential-missing')
      assert.equal(await identityFor(undefined, [boss, ALICE]), `alice of ${groups}`)
      assert.equal(await identityFor(site.alice, [boss]), `alice of ${groups}`)
      const answer = await http2(site.target(HOSTS.api), { host: HOSTS.api, headers: [boss] })
      assert.equal(await verdictOf(site, answer), '401 credential-missing')
    })

    it('does not trust them on a plain listener either', async () => {
      const forged = await askPlainly(site, HOSTS.api, [boss])
      assert.equal(await verdictOf(site, forged), '401 credential-missing')
      const answer = await askPlainly(site, HOSTS.api, [boss, ALICE])
      assert.equal(await reportedIdentity(site, answer), `alice of ${groups}`)
    })

    it('ends the handshake of a client with a certificate of another CA', async () => {
      await assert.rejects(identityFor(stranger))
    })

    it('refuses hosts that no route publishes, without a check', async () => {
      const answer = await askPlainly(site, 'other.example.org', [ALICE])
      assert.equal(await verdictOf(site, answer), '403 by the gateway')
    })
  }

  describe('without an EnvoyFilter', () => {
    before(() =>
      site.reconfigure((text) => text.replace('from: connection', 'from: x-forwarded-client-cert')),
    )

    it('1. uses the certificate in X-Forwarded-Client-Cert of the gateway', async () => {
      assert.equal(await identityFor(site.alice), 'alice of ')
      const event = (await site.decisions()).at(-1)
      assert.equal(event?.authenticator, 'staff-certificate')
      assert.deepEqual(event.groups, ['dev', 'ops'])
    })

    nobodyForges('')

    it('2. forwards no identity headers that callers send: authz removes them', async () => {
      assert.equal(await identityFor(site.alice, FORGED), 'alice of ')
      const { rawHeaders = [] } = site.api.requests.at(-1) ?? {}
      assert.ok(!rawHeaders.some((text) => /root|masters|forged/.test(text)), rawHeaders.join())
    })

    it('3. forwards WebSocket, and refuses SPDY without a check', async () => {
      using socket = await upgrade(site, 'websocket', [ALICE])
      assert.equal(socket.answer.status, 101)
      const earlier = (await site.decisions()).length
      using refused = await upgrade(site, 'SPDY/3.1', [ALICE])
      assert.equal(refused.answer.status, 403)
      assert.equal((await site.decisions()).length, earlier)
    })
  })

  /** The user as which authz authenticated the last caller who wrote the header. */
  const fooled = async (): Promise<string | undefined> => {
    await identityFor(undefined, [boss])
    return (await site.decisions()).at(-1)?.user
  }

  describe('with forwarding of the callers’ X-Forwarded-Client-Cert', () => {
    before(async () => {
      const gatewayTopology = { forwardClientCertDetails: 'ALWAYS_FORWARD_ONLY' }
      await site.istiod.configure({ ...(await meshConfig()), defaultConfig: { gatewayTopology } })
      await site.gateway.until((text) => text.includes('ALWAYS_FORWARD_ONLY'))
    })

    it('accepts any identity that they write (the control)', async () => {
      assert.equal(await fooled(), 'boss')
    })

    it('does not, with the EnvoyFilter', async () => {
      await site.apply('envoy-filter.yaml')
      await site.gateway.until((text) => !text.includes('ALWAYS_FORWARD_ONLY'))
      assert.equal(await fooled(), undefined)
      assert.equal(await identityFor(site.alice, [boss]), 'alice of dev|ops')
    })
  })

  describe('with the EnvoyFilter', () => {
    before(async () => {
      await site.istiod.configure(await meshConfig())
      await site.gateway.until((text) => text.includes('early_header_mutation'))
      await site.reconfigure((text) =>
        text.replace('from: x-forwarded-client-cert', 'from: connection'),
      )
    })

    it('4. accepts the certificate of the connection, a password and a token', async () => {
      assert.equal(await identityFor(site.alice), 'alice of dev|ops')
      assert.equal(await identityFor(undefined, [ALICE]), 'alice of dev|ops')
      assert.equal(
        await identityFor(undefined, [bearer(await site.otherIssuer.token('alice'))]),
        ALICE_BY_TOKEN,
      )
      const events = (await site.decisions()).slice(-3)
      assert.deepEqual(
        events.map(({ authenticator }) => authenticator),
        ['staff-certificate', 'staff-password', 'staff-token'],
      )
      assert.equal(await identityFor(undefined, [basic('guest', PASSWORD)]), '403 no-rule')
      assert.equal(await identityFor(undefined, [basic('alice', 'wrong')]), '401 credential-wrong')
      assert.equal(await identityFor(), '401 credential-missing')
    })

    it('5. accepts them over HTTP/2', async () => {
      const target = site.target(HOSTS.api, site.alice)
      assert.equal(
        await reportedIdentity(site, await http2(target, { host: HOSTS.api })),
        'alice of dev|ops',
      )
    })

    nobodyForges('dev|ops')

    it('6. removes forged headers before authz is called', async () => {
      const headers = FORGED.filter(([name]) => !name.includes('_'))
      assert.equal(await identityFor(site.alice, headers), 'alice of dev|ops')
      const { rawHeaders = [] } = site.api.requests.at(-1) ?? {}
      assert.ok(!rawHeaders.some((text) => /root|masters|forged/.test(text)), rawHeaders.join())
      assert.equal(await identityFor(site.alice, FORGED), '400 by the gateway')
    })

    it('7. forwards a token of Countersign’s issuer, which the application can verify, and not the caller’s', async () => {
      for (const [client, headers, user] of [
        [site.alice, [], 'alice of dev|ops'],
        [undefined, [ALICE], 'alice of dev|ops'],
        [undefined, [bearer(await site.otherIssuer.token('alice'))], ALICE_BY_TOKEN],
      ] as const) {
        const answer = await http1(site.target(HOSTS.reports, client), { headers })
        const [line = ''] = received(answer, 'authorization')
        const { payload } = await jwtVerify(line.replace(/^Bearer /, ''), site.signing.entry.jwk, {
          issuer: 'https://id.example.org',
          audience: 'reports',
        })
        const groups = z.array(z.string()).parse(payload['groups'])
        assert.equal(`${payload.sub} of ${groups.join('|')}`, user)
      }
    })

    it('8. forwards WebSocket and SPDY/3.1 with the permitted identity', async () => {
      for (const protocol of ['websocket', 'SPDY/3.1']) {
        using upgraded = await upgrade(site, protocol, [ALICE])
        assert.equal(upgraded.answer.status, 101, protocol)
        assert.equal(await echoed(upgraded, 'hello'), 'hello')
        const { rawHeaders = [] } = site.api.requests.at(-1) ?? {}
        assert.ok(rawHeaders.includes('alice'))
        using refused = await upgrade(site, protocol, [])
        assert.equal(refused.answer.status, 401)
      }
    })

    it('9. ends an upgraded connection with the token that began it', async () => {
      const token = await site.otherIssuer.token('alice', TOKEN_LIFE)
      const begun = performance.now()
      using upgraded = await upgrade(site, 'SPDY/3.1', [bearer(token)])
      assert.equal(await echoed(upgraded, 'hello'), 'hello')
      await Promise.race([once(upgraded.socket, 'close'), sleep(TOKEN_LIFE * 2_000)])
      const seconds = (performance.now() - begun) / 1_000
      assert.ok(Math.abs(seconds - TOKEN_LIFE) < 2.5, `${seconds} s`)
    })

    it('10. uses the route that the VirtualService names, and refuses requests without a route', async () => {
      const names = ['named.example.org', 'unnamed.example.org'] as const
      const [named, unnamed] = names
      await apply(site.cluster, [published(named, { name: 'reports' }), published(unnamed, {})])
      await site.gateway.until((text) => names.every((name) => text.includes(name)))
      assert.equal((await askPlainly(site, named, [ALICE])).status, 200)
      assert.equal((await site.decisions()).at(-1)?.route, 'reports')
      assert.equal(await verdictOf(site, await askPlainly(site, unnamed, [ALICE])), '403 no-route')
    })

    it('11. refuses a path that has two readings', async () => {
      const path = '/a%2Fb'
      const answer = await http1(site.target(HOSTS.api, site.alice), { path })
      assert.equal(await verdictOf(site, answer), '400 by the gateway')
    })

    it('forwards requests to the issuer complete, and limits their rate before authz is called', async () => {
      const host = 'id.example.org'
      await apply(site.cluster, [
        published(host, { name: 'issuer-token' }),
        await filterWithLogins(),
      ])
      await site.gateway.until((text) => text.includes('issuer_token'))
      const earlier = (await site.decisions()).length
      const socket = connect(site.places.http, '127.0.0.1')
      try {
        socket.write(`POST /token HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 1000\r\n\r\ng`)
        const answers = await Promise.all(Array.from({ length: 300 }, () => askPlainly(site, host)))
        const limited = answers.filter(({ status }) => status === 429)
        assert.ok(limited.length > 0 && limited.length < answers.length, `${limited.length}`)
        assert.match(limited[0]?.body ?? '', /^429 Too Many Requests\n\nToo many requests\. Wait/)
        // The policy of this gateway checks every host. Requests that never arrived whole were not checked.
        const decided = (await site.decisions()).slice(earlier)
        assert.equal(decided.length, answers.length - limited.length)
      } finally {
        socket.destroy()
      }
    })

    it('…authenticates by a password in the same file, and not by a wrong one (the control)', async () => {
      const rejected = async (): Promise<boolean> =>
        /lds\.update_rejected: [1-9]/.test(await site.gateway.envoy.admin('/stats?filter=lds'))
      assert.equal(await rejected(), false)
      await apply(site.cluster, [addingUpgrade('SPDY/3.1')])
      await eventually(rejected, (yes) => yes)
      assert.match(site.gateway.envoy.log(), /multiple upgrade configs with the same name/)
      assert.equal(await identityFor(site.alice, FORGED.slice(0, 2)), 'alice of dev|ops')
    })
  })
})
