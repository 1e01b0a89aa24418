// Ways around authz at the gateway: what callers send, and what other tenants of the gateway configure next
// to Countersign. Steps are in README.md.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { after, before, describe, it } from 'node:test'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { expectationsOf } from '../../../src/envoy/lint/expectations.ts'
import { lint } from '../../../src/envoy/lint/lint.ts'
import { http1, type Answer, type HeaderLine } from '../../servers/client.ts'
import { freePort } from '../../servers/ports.ts'
import { sendRaw } from '../../servers/raw-client.ts'
import { startScriptedHttp, type ScriptedHttp } from '../../servers/scripted-http.ts'
import { basic, eventually } from '../site.ts'
import { askPlainly, reportedIdentity, upgrade, verdictOf } from './asking.ts'
import { PASSWORD } from './configuration.ts'
import {
  httpOf,
  moved,
  MOVING,
  object,
  onAuthz,
  onRoutes,
  PER_ROUTE,
  STEERING,
} from './bypassing.ts'
import { published, serviceAt, type KubeObject } from './files.ts'
import { apply } from './mesh.ts'
import { HOSTS, skipWithoutServers, startIstioSite, type IstioSite } from './site.ts'

const ALICE = basic('alice', PASSWORD)
describe(
  'ways around authz at an ingress gateway',
  { skip: skipWithoutServers(), timeout: 240_000 },
  () => {
    let site: IstioSite
    /** Answers as a test wants; a service like any other. */
    let moving: ScriptedHttp
    before(async () => {
      moving = await startScriptedHttp(() => ({}))
      site = await startIstioSite()
      await site.apply('envoy-filter.yaml')
      await eventually(
        async () => await reportedIdentity(site, await ask()),
        (identity) => identity === 'alice of dev|ops',
      )
      await apply(site.cluster, [
        serviceAt(
          'moving.apps.svc.cluster.local',
          8_081,
          'HTTP',
          Number(new URL(moving.origin).port),
        ),
        moved,
      ])
      await eventually(
        async () => (await askPlainly(site, MOVING, [ALICE])).status,
        (status) => status === 200,
      )
    })
    after(async () => {
      await site[Symbol.asyncDispose]()
      await moving[Symbol.asyncDispose]()
    })

    const ask = (
      headers: readonly HeaderLine[] = [ALICE],
      host: string = HOSTS.api,
    ): Promise<Answer> => http1(site.target(host), { headers })

    /** Applies an object, does something, and takes it away. */
    const having = async (
      added: KubeObject,
      mark: string,
      then: () => Promise<void>,
    ): Promise<void> => {
      await apply(site.cluster, [added])
      await site.gateway.until((text) => text.includes(mark))
      try {
        await then()
      } finally {
        await site.remove(added.kind, added.metadata.name)
        await site.gateway.until((text) => !text.includes(mark))
      }
    }

    /** What the lint says of what the gateway runs with. */
    const findings = async (): Promise<readonly string[]> => {
      const { config } = await readConfig(
        site.folder.file('countersign.yaml'),
        new ConfigurationFiles(),
      )
      const result = lint(await site.gateway.envoy.admin('/config_dump'), {
        expected: expectationsOf(config),
      })
      assert.ok(result.ok)
      return result.findings.map(({ severity, rule }) => `${severity} ${rule}`)
    }

    /** The outcomes of requests; no application may receive any of them. */
    const refused = async (
      ...questions: readonly (() => Promise<Answer>)[]
    ): Promise<readonly string[]> => {
      const heard = (): number =>
        site.api.requests.length + site.reports.requests.length + moving.requests.length
      const already = heard()
      const verdicts: string[] = []
      for (const one of questions) {
        verdicts.push(await verdictOf(site, await one()))
      }
      assert.equal(heard(), already)
      return verdicts
    }

    /** Without a credential, with a password, and with the header that the second policy looks at. */
    const usual = [() => ask([]), () => ask(), () => ask([['Audit-ID', 'forged']])] as const

    it('HTTP/2 without TLS, by upgrade or with prior knowledge, is checked', async () => {
      const upgrading: readonly HeaderLine[] = [
        ['Connection', 'Upgrade, HTTP2-Settings'],
        ['Upgrade', 'h2c'],
        ['HTTP2-Settings', 'AAMAAABkAAQAoAAAAAIAAAAA'],
        ['X-Remote-User', 'root'],
      ]
      assert.deepEqual(await refused(() => askPlainly(site, HOSTS.api, upgrading)), [
        '401 credential-missing',
      ])
      const session = connectHttp2(`http://127.0.0.1:${site.places.http}`)
      const stream = session.request({ ':authority': HOSTS.api, 'x-remote-user': 'root' })
      const [headers] = await once(stream, 'response')
      session.destroy()
      assert.equal(headers[':status'], 401)
    })

    const LINES = [
      { line: `CONNECT ${HOSTS.api}:443 HTTP/1.1`, verdict: '403 by the gateway' },
      { line: 'CONNECT 127.0.0.1:1 HTTP/1.1', verdict: '403 by the gateway' },
      { line: 'GET http://other.example.org/ HTTP/1.1', verdict: '403 by the gateway' },
      { line: `GET https://${HOSTS.api}/ HTTP/1.1`, verdict: '401 credential-missing' },
      { line: 'OPTIONS * HTTP/1.1', verdict: '404 by the gateway' },
      { line: 'TRACE / HTTP/1.1', verdict: '401 credential-missing' },
      { line: 'PRI * HTTP/2.0', verdict: '400 by the gateway' },
    ] as const
    for (const { line, verdict } of LINES) {
      it(`an application receives no "${line}"`, async () => {
        const headers = [['Host', HOSTS.api]] as const
        assert.deepEqual(await refused(() => sendRaw(site.target(HOSTS.api), { line, headers })), [
          verdict,
        ])
      })
    }

    it('WebSocket is checked before the protocol is switched', async () => {
      using upgraded = await upgrade(site, 'websocket', [['X-Remote-User', 'root']])
      assert.equal(upgraded.answer.status, 401)
    })

    it('no header that controls Envoy is forwarded as a caller sent it', async () => {
      const headers = STEERING.map((name): HeaderLine => [name, 'forged'])
      assert.equal(await reportedIdentity(site, await ask([ALICE, ...headers])), 'alice of dev|ops')
      const { rawHeaders = [] } = site.api.requests.at(-1) ?? {}
      assert.ok(!rawHeaders.includes('forged'), rawHeaders.join())
    })

    it('each attempt of a retried request has the upstream’s token and not the password', async () => {
      const requests = moving.requests.length
      moving.script = () => ({ status: moving.requests.length - requests < 3 ? 503 : 200 })
      assert.equal((await askPlainly(site, MOVING, [ALICE])).status, 200)
      const authorizations = moving.requests
        .slice(requests)
        .map(({ headers }) => headers['authorization'])
      assert.equal(authorizations.length, 3)
      for (const line of authorizations) assert.match(String(line), /^Bearer ey/)
    })

    it('a second Gateway on a port of its own calls authz as well', async () => {
      const port = await freePort()
      const server = {
        port: { number: port, name: 'http-second', protocol: 'HTTP' },
        bind: '127.0.0.1',
      }
      const second: KubeObject = {
        ...object('networking.istio.io/v1', 'Gateway', 'second'),
        spec: { selector: { istio: 'ingressgateway' }, servers: [{ ...server, hosts: ['*'] }] },
      }
      const there = { ...site, places: { ...site.places, http: port } }
      const host = 'second.example.org'
      const service = published(host, { name: 'reports' })
      await apply(site.cluster, [{ ...service, spec: { ...service.spec, gateways: ['second'] } }])
      await having(second, `127.0.0.1_${port}`, async () => {
        await site.gateway.until((text) => text.includes(host))
        const verdicts = await refused(
          () => askPlainly(there, host),
          () => askPlainly(there, host, [['X-Remote-User', 'root']]),
          () => askPlainly(there, HOSTS.api, [['X-Remote-User', 'root']]),
        )
        assert.deepEqual(verdicts, [
          '401 credential-missing',
          '401 credential-missing',
          '403 by the gateway',
        ])
        assert.equal((await askPlainly(there, host, [ALICE])).status, 200)
      })
    })

    it('routes for which another EnvoyFilter disables ext_authz are refused by the second policy', async () => {
      await having(
        onRoutes({ typed_per_filter_config: PER_ROUTE }),
        'ExtAuthzPerRoute","disabled":true',
        async () => {
          await eventually(findings, (found) => found.includes('error ext-authz-disabled'))
          assert.deepEqual(await refused(...usual), Array(3).fill('403 by the gateway'))
        },
      )
    })

    it('requests are refused where another EnvoyFilter removes ext_authz', async () => {
      await apply(site.cluster, [onAuthz({ operation: 'REMOVE' })])
      await eventually(findings, (found) => found.includes('error ext-authz-missing'))
      assert.deepEqual(await refused(...usual), Array(3).fill('403 by the gateway'))
      await site.remove('envoyfilters.networking.istio.io', 'another')
      await eventually(
        async () => (await ask()).status,
        (status) => status === 200,
      )
    })

    it('a mirror receives permitted requests without the password, and the lint reports it', async () => {
      const [http] = httpOf(moved)
      const mirrored = {
        ...moved,
        spec: {
          ...moved.spec,
          http: [
            {
              ...http,
              mirror: { host: 'reports.apps.svc.cluster.local', port: { number: 8080 } },
              mirrorPercentage: { value: 100 },
            },
          ],
        },
      }
      await apply(site.cluster, [mirrored])
      await eventually(findings, (found) => found.includes('warning requests-mirrored'))
      moving.script = () => ({})
      site.reports.clear()
      assert.deepEqual(await refused(() => askPlainly(site, MOVING)), ['401 credential-missing'])
      assert.equal((await askPlainly(site, MOVING, [ALICE])).status, 200)
      const [copy = []] = await eventually(
        () => Promise.resolve(site.reports.requests),
        ({ length }) => length === 1,
      )
      assert.match(copy[copy.indexOf('authorization') + 1] ?? '', /^Bearer ey/)
      await apply(site.cluster, [moved])
    })

    it('a redirect that the gateway follows is checked again', async () => {
      const policy = {
        internal_redirect_policy: { max_internal_redirects: 3, redirect_response_codes: [302] },
      }
      await having(onRoutes({ route: policy }), 'internal_redirect_policy', async () => {
        await eventually(findings, (found) => found.includes('warning redirects-followed'))
        const requests = moving.requests.length
        moving.script = ({ path }) =>
          path === '/' ? { status: 302, headers: { location: `http://${MOVING}/other` } } : {}
        // The password went no further than authz: what it finds there now is the token that it minted.
        const answer = await askPlainly(site, MOVING, [ALICE])
        assert.equal(await verdictOf(site, answer), '401 credential-unsupported')
        assert.equal(moving.requests.length, requests + 1)
      })
    })
  },
)
