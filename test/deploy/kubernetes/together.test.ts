// What the chart renders, run on this machine: a certificate for every caller, by the signer of the chart.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { countersign } from '../../cli/run.ts'
import {
  startCertificateUpstream,
  type CertificateUpstream,
} from '../../servers/certificate-upstream.ts'
import { http1, type Answer, type Target } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { PASSWORD, usersObjects } from './files.ts'
import { skipWithoutHelm } from './rendered.ts'
import { startChart, type RunningChart } from './running-chart.ts'

const HOST = 'kube.example.org'

describe('the parts of the chart', { skip: skipWithoutHelm() || skipWithoutEnvoy() }, () => {
  const started = new AsyncDisposableStack()
  let upstream: CertificateUpstream
  let target: Target
  let chart: RunningChart

  before(async () => {
    const made = await usersObjects()
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
    const change = (text: string): string =>
      text.replace(
        /^( *)address: kubernetes\.default\.svc:443$/m,
        `$1address: 127.0.0.1:${upstream.port}\n$1serverName: kubernetes.default.svc`,
      )
    chart = started.use(await startChart({ example: 'certificate' }, { made, change }))
    target = { port: chart.ports.envoy, serverName: HOST, ca }
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
      const { status } = await fetch(`http://127.0.0.1:${chart.ports.admin}/${page}`)
      assert.equal(status, 200)
    }
    const signer = `unix:${chart.envoyRoot}/run/countersign/signer.sock`
    assert.equal((await countersign(['health', '--address', signer])).status, 0)
  })
})
