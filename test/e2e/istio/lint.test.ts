// What `countersign envoy lint --admin` reports of the gateway: no error in the files as released, and for
// each field of the EnvoyFilter the effect of a misspelling, which no other program reports.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { readConfig } from '../../../src/configuration/parse.ts'
import { expectationsOf, type Expectations } from '../../../src/envoy/lint/expectations.ts'
import { lint } from '../../../src/envoy/lint/lint.ts'
import { formatPath } from '../../../src/config/yaml-position.ts'
import { countersign, type Result } from '../../cli/run.ts'
import { eventually } from '../site.ts'
import { objectsOf, serviceAt, type KubeObject } from './files.ts'
import { apply } from './mesh.ts'
import { fieldsOf, hasArrived, marked, misspelt, type Field } from './misspelling.ts'
import { skipWithoutServers, startIstioSite, type IstioSite } from './site.ts'

const HOP = 'countersign-hop.countersign.svc.cluster.local'

/** Fields whose loss changes nothing, and why. */
const HARMLESS: readonly (readonly [field: RegExp, why: string])[] = [
  [/unix_sockets$/, 'the default'],
  [/allow_all_routing$/, 'the default'],
  [/max_headers_count$/, 'the default'],
  [/normalize_path$/, 'Istio says the same'],
  [/forward_client_cert_details$/, 'Istio says the same'],
  [/set_current_client_cert_details(\.cert)?$/, 'Istio says the same'],
  [/stream_idle_timeout$/, 'Istio lets streams be silent for ever, which costs a connection'],
  [/http2_protocol_options(\.\w+)?$/, 'Envoy has limits of its own, which are wider'],
  [/local_reply_config$/, 'the text of a 429'],
  [/^1\.name$/, 'the filter is found by the match'],
  [/append_action$/, 'the header has been removed before'],
  [
    /^1[012]\.transport_socket(\.typed_config.*)?$/,
    'the hosts have one filter chain, and two other patches',
  ],
  [
    /^6\.typed_config\.mutations(\.request_trailers_mutations)?$/,
    'no service of these tests speaks HTTP/2',
  ],
  [/clear_route_cache$/, 'no route looks at headers'],
  [/check_settings$/, 'Envoy refuses such routes and keeps those before: its log alone tells'],
]

const isHarmless = (field: Field): boolean =>
  HARMLESS.some(([known]) => known.test(field.join('.')))

const FILTER =
  '/apis/networking.istio.io/v1alpha3/namespaces/istio-ingress/envoyfilters/countersign'

const LIMIT = 500_000

describe('countersign envoy lint --admin', { skip: skipWithoutServers(), timeout: LIMIT }, () => {
  let site: IstioSite
  let filter: KubeObject
  let expected: Expectations
  let config: string
  /** The findings of the unchanged files. */
  let usual: ReadonlySet<string>
  before(async () => {
    site = await startIstioSite()
    const [first] = await objectsOf('envoy-filter.yaml', site.places)
    assert.ok(first !== undefined)
    filter = first
    config = site.folder.file('countersign.yaml')
    expected = expectationsOf((await readConfig(config, new ConfigurationFiles())).config)
    await apply(site.cluster, [serviceAt(HOP, 8_443, 'HTTPS', 1), filter])
    await site.apply('kube-apiserver-by-hop.yaml')
    await eventually(
      () => applied(filter).then(findings),
      (found) => [...found].every((one) => one.startsWith('warning')),
    )
    usual = await findings()
  })
  after(() => site[Symbol.asyncDispose]())

  const dump = (): Promise<string> => site.gateway.envoy.admin('/config_dump')

  let marks = 0
  /** Applies an EnvoyFilter, and waits until Envoy has taken or refused it. */
  const applied = async (object: KubeObject): Promise<void> => {
    marks += 1
    const mark = `countersign-${marks}`
    // As a merge patch, which replaces arrays: an apply by kubectl takes half a second of CPU time.
    const { spec } = marked(object, mark)
    await site.cluster.server.call({ method: 'PATCH', path: FILTER, body: { spec } })
    await eventually(dump, (text) => hasArrived(text, mark))
  }

  const findings = async (): Promise<ReadonlySet<string>> => {
    const result = lint(await dump(), { expected })
    assert.ok(result.ok)
    return new Set(
      result.findings.map(
        ({ severity, rule, path, problem }) => `${severity} ${rule} ${formatPath(path)} ${problem}`,
      ),
    )
  }

  /** What is found beyond the usual, once there is anything: routes come after listeners. */
  const news = async (limit = 5_000): Promise<ReadonlySet<string>> => {
    const ask = async () => (await findings()).difference(usual)
    try {
      return await eventually(ask, ({ size }) => size > 0, limit)
    } catch {
      return new Set()
    }
  }

  const run = (...options: readonly string[]): Promise<Result> =>
    countersign(['envoy', 'lint', '--admin', site.gateway.admin, ...options])

  it('finds no error in the files of deploy/istio', async () => {
    const { status, stdout, stderr } = await run('--config', config)
    assert.deepEqual([status, stderr], [0, ''], stdout)
    assert.match(stdout, /: 0 errors, 1 warning; checked 2 listeners, 2 ext_authz filters, /)
    // The listener of these tests has no TLS.
    assert.match(stdout, /warning: .* \[client-certificate-not-requested\]\n {2}at: {4}listener /)
  })

  it('ends with 1 for include_peer_certificat, and suggests the correct field', async () => {
    const field = fieldsOf(filter).find((one) => one.at(-1) === 'include_peer_certificate')
    assert.ok(field !== undefined)
    await applied(misspelt(filter, [field]))
    const { status, stdout, stderr } = await run('--config', config)
    assert.deepEqual([status, stderr], [1, ''])
    assert.match(stdout, /error: authz does not receive client certificates: staff-certificate /)
    assert.match(
      stdout,
      /write: EnvoyFilter, applyTo: HTTP_FILTER on envoy\.filters\.http\.ext_authz, MERGE: include_peer_certificate: true\n/,
    )
    assert.match(stdout, /drop a misspelt field of an EnvoyFilter silently/)
  })

  it('finds every misspelt field that has an effect', async () => {
    const fields = fieldsOf(filter).filter((field) => !isHarmless(field))
    assert.ok(fields.length > 70)
    const unseen: string[] = []
    let last: ReadonlySet<string> = new Set()
    for (const field of fields) {
      await applied(misspelt(filter, [field]))
      let found = await news()
      if (found.isSubsetOf(last)) {
        // Perhaps of the field last.
        await applied(filter)
        await eventually(findings, (all) => all.isSubsetOf(usual))
        await applied(misspelt(filter, [field]))
        found = await news()
      }
      if (found.size === 0) unseen.push(field.join('.'))
      last = found
    }
    assert.deepEqual(unseen, [])
  })

  it('accepts a misspelt field without an effect', async () => {
    await applied(filter)
    await eventually(findings, (all) => all.isSubsetOf(usual))
    const harmless = fieldsOf(filter).filter(isHarmless)
    for (const [known] of HARMLESS) {
      assert.ok(
        harmless.some((field) => known.test(field.join('.'))),
        `${known} is no field`,
      )
    }
    for (const field of harmless) {
      await applied(misspelt(filter, [field]))
      assert.deepEqual([...(await news(300))], [], field.join('.'))
    }
  })

  it('finds what all patches together lose', async () => {
    const all = fieldsOf(filter).filter(
      (field) => field.at(-1) === 'disable_stateless_session_resumption',
    )
    assert.equal(all.length, 3)
    await applied(misspelt(filter, all))
    assert.match([...(await news())].join('\n'), /^warning client-session-resumed /)
  })

  it('reports that Envoy refused what two EnvoyFilters both add, and why', async () => {
    await applied(filter)
    const second = { ...filter, metadata: { ...filter.metadata, name: 'second' } }
    const upgrade = fieldsOf(filter).filter((field) => field.at(-1) === 'upgrade_type')
    assert.equal(upgrade.length, 1)
    await apply(site.cluster, [second])
    await eventually(dump, (text) => text.includes('"error_state"'))
    const { status, stdout } = await run()
    assert.equal(status, 1)
    assert.match(
      stdout,
      /error: Envoy refused a new configuration and runs with the previous one: listener 127\.0\.0\.1_\d+; .*last tried at 20\d\d-.*; details: .*multiple upgrade configs with the same name: 'SPDY\/3\.1' \[update-refused\]/,
    )
    await site.remove('envoyfilters.networking.istio.io', 'second')
    await eventually(dump, (text) => !text.includes('"error_state"'))
    assert.equal((await run()).status, 0)
  })
})
