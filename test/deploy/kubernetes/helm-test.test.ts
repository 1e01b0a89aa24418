// `helm test` on a real API server: the test plays the kubelet and runs the program of the pod on this machine, in front of
// the real authz and Envoy of the chart.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { z } from 'zod'
import { helm } from '../../../scripts/helm.ts'
import { blocksTestedBy } from '../../docs/examples/blocks.ts'
import { startCluster, type Cluster } from '../../servers/cluster.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { skipWithoutKubectl } from '../../servers/kubectl.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { onChart, skipWithoutHelm } from './rendered.ts'
import { startChart, type RunningChart } from './running-chart.ts'

const skip =
  skipWithoutHelm() || skipWithoutApiServer() || skipWithoutKubectl() || skipWithoutEnvoy()

// Without the log, which only a kubelet has.
const HELM_TEST = blocksTestedBy(
  'test/deploy/kubernetes/helm-test.test.ts',
  'deploy/kubernetes/chart/README.md',
).flatMap(({ text: command }) => command.trim().split(' ').slice(1, -1))

const CONFIG = {
  authenticators: {
    staff: {
      basic: {
        realm: 'Example',
        verify: [{ users: { file: '/etc/countersign/secrets/countersign-users/users.yaml' } }],
      },
    },
  },
  routes: [
    {
      name: 'kubernetes',
      match: { hosts: ['kube.example.org'] },
      authenticate: ['staff'],
      authorize: [{ allow: 'everyone' }],
      forward: { headers: 'kubernetes' },
    },
  ],
  envoy: { upstreams: { kubernetes: { address: '127.0.0.1:9' } } },
}

const pod = z.object({
  spec: z.object({
    containers: z.tuple([
      z.object({
        command: z.tuple([z.literal('node'), z.string()]),
        env: z.tuple([z.object({ name: z.string(), value: z.string() })]),
      }),
    ]),
  }),
})

describe('helm test', { skip, timeout: 180_000 }, () => {
  const namespace = 'countersign'
  const values = { config: CONFIG, authz: { secrets: ['countersign-users'] } }
  let cluster: Cluster
  let chart: RunningChart
  before(async () => {
    cluster = await startCluster()
    await cluster.createNamespace(namespace)
    await onChart(['install', 'countersign'], { values }, cluster.kubeconfig)
    chart = await startChart({ values })
  })
  after(async () => {
    await chart[Symbol.asyncDispose]()
    await cluster[Symbol.asyncDispose]()
  })

  /** Runs the program of the pod as the kubelet does, with addresses of this machine, and reports how it ended. */
  const kubelet = async (secret: string): Promise<string> => {
    const options = [`--namespace=${namespace}`, '--output=json']
    await cluster.kubectl([
      'wait',
      '--for=create',
      'pod/countersign-test',
      `--namespace=${namespace}`,
    ])
    const { output } = await cluster.kubectl(['get', 'pod/countersign-test', ...options])
    const { command, env } = pod.parse(JSON.parse(output)).spec.containers[0]
    await using folder = await temporaryFolder()
    const program = await cluster.kubectl([
      'get',
      'configmap/countersign-test',
      `--namespace=${namespace}`,
      String.raw`--output=jsonpath={.data.test\.mjs}`,
    ])
    const edge = join(folder.path, 'etc/countersign/edge')
    await mkdir(edge, { recursive: true })
    await mkdir(join(folder.path, 'etc/countersign/test'))
    const certificate = chart.made.secrets[secret]?.['tls.crt'] ?? ''
    await writeFile(join(edge, 'tls.crt'), certificate)
    const file = `${folder.path}${command[1]}`
    await writeFile(file, program.output)
    const settings = env[0].value
      .replace('"/etc', `"${folder.path}/etc`)
      .replace('countersign-authz.countersign.svc.cluster.local', '127.0.0.1')
      .replace('countersign.countersign.svc.cluster.local', '127.0.0.1')
      .replace(':9090', `:${chart.ports.admin}`)
      .replace(':443', `:${chart.ports.envoy}`)
      .replace('"seconds":60', '"seconds":1')
    const child = spawn(process.execPath, [file], { env: { [env[0].name]: settings } })
    const [log, errors] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ])
    const phase = child.exitCode === 0 ? 'Succeeded' : 'Failed'
    await cluster.server.call({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/pods/countersign-test/status`,
      body: { status: { phase } },
    })
    return log + errors
  }

  const tested = async (
    secret = 'countersign-edge-tls',
  ): Promise<{ readonly log: string; readonly result: string }> => {
    await cluster.kubectl(['delete', 'pod/countersign-test', `--namespace=${namespace}`, '--force'])
    const [log, result] = await Promise.all([
      kubelet(secret),
      helm(HELM_TEST, cluster.kubeconfig).catch(String),
    ])
    return { log, result }
  }

  it('passes if authz is ready and Envoy refuses a request without a credential', async () => {
    const { log, result } = await tested()
    assert.match(result, /^Phase: +Succeeded$/m, log)
    assert.match(log, /authz at 127\.0\.0\.1 is ready/)
    assert.match(log, /https:\/\/kube\.example\.org\/ without a credential with 401/)
  })

  it('leaves the pod for its log, and no policy that lets it connect', async () => {
    const { output } = await cluster.kubectl([
      'get',
      'pods,configmaps,networkpolicies',
      `--namespace=${namespace}`,
      '--output=name',
    ])
    assert.deepEqual(output.match(/.*-test.*/g), ['pod/countersign-test'])
  })

  it('fails if Envoy presents another certificate than that of the Secret', async () => {
    const { log, result } = await tested('countersign-authz-tls')
    assert.match(result, /pod countersign-test failed/)
    assert.match(log, /^failed: unable to get local issuer certificate$/m)
  })

  it('fails if the status is another one', async () => {
    const other = { ...values, helmTest: { status: 403 } }
    await onChart(['upgrade', 'countersign'], { values: other }, cluster.kubeconfig)
    const { log, result } = await tested()
    assert.match(result, /pod countersign-test failed/)
    assert.match(log, /without a credential with 401, not 403/)
  })

  it('fails if authz is not ready', async () => {
    await chart.authz.end()
    const { log, result } = await tested()
    assert.match(result, /pod countersign-test failed/)
    assert.match(log, /^failed: connect ECONNREFUSED/m)
  })
})
