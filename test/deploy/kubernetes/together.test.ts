// What the chart renders, run on this machine: authz, the signer and a real Envoy, each with the files
// of its own container; only addresses are those of this machine.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { parseConfig } from '../../../src/configuration/parse.ts'
import { renderBootstrap } from '../../../src/envoy/bootstrap.ts'
import { countersign, startService } from '../../cli/run.ts'
import {
  startCertificateUpstream,
  type CertificateUpstream,
} from '../../servers/certificate-upstream.ts'
import { http1, type Answer, type Target } from '../../servers/client.ts'
import { freePort } from '../../servers/ports.ts'
import { skipWithoutEnvoy, startEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { below, mountFiles, PASSWORD, usersObjects } from './files.ts'
import { containerOf, render, skipWithoutHelm } from './rendered.ts'

const HOST = 'kube.example.org'
const CONFIG = '/etc/countersign/config/countersign.yaml'

describe('the parts of the chart', { skip: skipWithoutHelm() || skipWithoutEnvoy() }, () => {
  const started = new AsyncDisposableStack()
  let upstream: CertificateUpstream
  let target: Target
  let adminPort: number
  let signerSocket: string

  before(async () => {
    const [chart, made] = await Promise.all([render({ example: 'certificate' }), usersObjects()])
    const { path: authzRoot } = started.use(await temporaryFolder())
    const { path: envoyRoot } = started.use(await temporaryFolder())
    const own = started.use(await temporaryFolder())
    const server = made.secrets['upstream'] ?? {}
    const identity = { certificate: own.file('tls.crt'), key: own.file('tls.key') }
    const ca = own.file('ca.crt')
    await writeFile(identity.certificate, server['tls.crt'] ?? '')
    await writeFile(identity.key, server['tls.key'] ?? '')
    await writeFile(ca, server['ca.crt'] ?? '')
    upstream = started.use(
      await startCertificateUpstream({ identity, clientCas: server['ca.crt'] ?? '' }),
    )
    const port = await freePort()
    adminPort = await freePort()
    /** The text with addresses of this machine; names in certificates stay what they are. */
    const here = (root: string, text: string): string =>
      below(root, text)
        .replaceAll('0.0.0.0:9001', `127.0.0.1:${port}`)
        .replaceAll('0.0.0.0:9090', `127.0.0.1:${adminPort}`)
        .replaceAll('0.0.0.0:8443', '127.0.0.1:0')
        .replaceAll('countersign-authz.countersign.svc.cluster.local:9001', `127.0.0.1:${port}`)
        .replace(
          /^( *)address: kubernetes\.default\.svc:443$/m,
          `$1address: 127.0.0.1:${upstream.port}\n$1serverName: kubernetes.default.svc`,
        )
    const namespace = { ...made, configMaps: { ...made.configMaps, ...chart.configMaps } }
    const mount = async (root: string, part: 'authz' | 'envoy', name: string): Promise<void> => {
      const template = chart.pods(part)
      const container = containerOf(template, name)
      await mountFiles(root, template, container, namespace, (text) => here(root, text))
    }
    await mount(authzRoot, 'authz', 'authz')
    await mount(envoyRoot, 'envoy', 'signer')
    await mount(envoyRoot, 'envoy', 'envoy')
    signerSocket = `unix:${envoyRoot}/run/countersign/signer.sock`
    started.use(await startService('authz', `${authzRoot}${CONFIG}`))
    started.use(await startService('signer', `${envoyRoot}/etc/countersign/config/signer.yaml`))
    const { 'countersign.yaml': config = '' } = chart.configMaps['countersign-config'] ?? {}
    const parsed = parseConfig(`${envoyRoot}${CONFIG}`, here(envoyRoot, config))
    assert.ok(parsed.ok)
    const envoy = started.use(await startEnvoy({ bootstrap: renderBootstrap(parsed.config) }))
    target = { port: await envoy.port(), serverName: HOST, ca }
  })
  after(() => started.disposeAsync())

  const ask = async (path: string, password: string): Promise<Answer> => {
    const credentials = Buffer.from(`alice:${password}`).toString('base64')
    return await http1(target, { path, headers: [['authorization', `Basic ${credentials}`]] })
  }

  it('present a certificate of the caller to the upstream', async () => {
    const { status } = await ask('/api/v1/namespaces/default/pods', PASSWORD)
    assert.equal(status, 200)
    assert.equal(upstream.requests.at(-1)?.subject, 'CN=alice, O=dev, O=ops')
  })

  it('refuse what the rules deny, and callers without a credential', async () => {
    assert.equal((await ask('/api/v1/namespaces/default/secrets', PASSWORD)).status, 403)
    assert.equal((await ask('/api/v1/namespaces/default/pods', 'wrong')).status, 401)
  })

  it('answer the probes', async () => {
    for (const page of ['livez', 'readyz']) {
      const { status } = await fetch(`http://127.0.0.1:${adminPort}/${page}`)
      assert.equal(status, 200)
    }
    assert.equal((await countersign(['health', '--address', signerSocket])).status, 0)
  })
})
