// The chart on a real API server: it takes every object without a warning, its Pod Security admission
// takes every pod, its RBAC lets the accounts do what they need and nothing else.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { helm, KUBERNETES } from '../../../scripts/helm.ts'
import { skipWithoutApiServer } from '../../servers/kube-apiserver.ts'
import { kubectl, skipWithoutKubectl } from '../../servers/kubectl.ts'
import { startCluster, type Cluster } from '../../servers/cluster.ts'
import { addDefinitions, skipWithoutDefinitions } from '../../servers/resource-definitions.ts'
import { OPTIONS } from './options.ts'
import { onChart, render, skipWithoutHelm, VALUE_SETS, type PodTemplate } from './rendered.ts'

const skip =
  skipWithoutHelm() || skipWithoutApiServer() || skipWithoutKubectl() || skipWithoutDefinitions()

const TAKEN = { code: 0, complaint: '' }

describe('a real API server with the chart', { skip, timeout: 180_000 }, () => {
  let cluster: Cluster
  before(async () => {
    cluster = await startCluster()
    await addDefinitions(cluster)
  })
  after(() => cluster[Symbol.asyncDispose]())

  /** What it says to objects: warnings of Pod Security are complaints, too. */
  const applied = async (namespace: string, text: string, more: readonly string[] = []) => {
    const { code, complaint } = await cluster.kubectl(
      ['apply', '--server-side', '--validate=strict', `--namespace=${namespace}`, ...more],
      text,
    )
    return { code, complaint }
  }

  const podOf = ({ metadata: { labels }, spec }: PodTemplate, change: object = {}): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'one', labels },
      spec: { ...spec, ...change },
    })

  for (const [index, [name, values]] of Object.entries(VALUE_SETS).entries()) {
    it(`accepts every resource, and pods in a restricted namespace, with ${name}`, async () => {
      const namespace = `set-${index}`
      await cluster.createNamespace(namespace)
      const { text, objects, pods } = await render({ ...values, namespace })
      assert.deepEqual(await applied(namespace, text, ['--dry-run=server']), TAKEN)
      assert.deepEqual(await applied(namespace, text), TAKEN)
      const parts = objects.some(({ metadata }) => metadata.name.endsWith('-envoy'))
        ? (['authz', 'envoy'] as const)
        : (['authz'] as const)
      for (const part of parts) {
        assert.deepEqual(await applied(namespace, podOf(pods(part)), ['--dry-run=server']), TAKEN)
      }
    })
  }

  describe('accepts', () => {
    const namespace = 'options'
    before(() => cluster.createNamespace(namespace))
    for (const { name, values } of OPTIONS) {
      it(name, async () => {
        const { objects } = await render({ values, namespace })
        // kubectl refuses objects of another namespace than it is given.
        const places = Map.groupBy(objects, ({ metadata: { namespace: own } }) =>
          typeof own === 'string' ? own : namespace,
        )
        for (const [place, items] of places) {
          const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
          assert.deepEqual(await applied(place, list, ['--dry-run=server']), TAKEN)
        }
      })
    }
  })

  it('refuses a privileged pod (the control)', async () => {
    await cluster.createNamespace('control')
    const { pods } = await render({ namespace: 'control' })
    const { code, complaint } = await applied(
      'control',
      podOf(pods('authz'), { hostNetwork: true }),
      ['--dry-run=server'],
    )
    assert.equal(code, 1)
    assert.match(complaint, /violates PodSecurity "restricted:latest": host namespaces/)
  })

  it('refuses a Certificate with an unknown usage (the control)', async () => {
    await cluster.createNamespace('control-certificate')
    const { text } = await render({ values: { certManager: { enabled: true } } })
    const { complaint } = await applied(
      'control-certificate',
      text.replace('server auth', 'server-auth'),
      ['--dry-run=server'],
    )
    assert.match(complaint, /spec\.usages\[1\]: Unsupported value: "server-auth"/)
  })

  it('accepts the manifests, by kubectl apply --kustomize', async () => {
    const { code, output, complaint } = await cluster.kubectl([
      'apply',
      '--server-side',
      '--validate=strict',
      `--kustomize=${join(KUBERNETES, 'manifests')}`,
    ])
    assert.equal(complaint, '')
    assert.equal(code, 0)
    assert.match(output, /^namespace\/countersign serverside-applied$/m)
    const live = await cluster.kubectl([
      'get',
      'deployments',
      '--namespace=countersign',
      '--output=name',
    ])
    assert.deepEqual(live.output.trim().split('\n'), [
      'deployment.apps/countersign-authz',
      'deployment.apps/countersign-envoy',
    ])
  })

  it('has the chart installed, upgraded and removed by Helm', async () => {
    const namespace = 'helm'
    await cluster.createNamespace(namespace)
    await onChart(['install', 'one'], { namespace }, cluster.kubeconfig)
    const example = { example: 'certificate', namespace }
    await onChart(['upgrade', 'one'], example, cluster.kubeconfig)
    const { output } = await cluster.kubectl([
      'get',
      'deployment/one-countersign-envoy',
      `--namespace=${namespace}`,
      '--output=jsonpath={.spec.template.spec.initContainers[*].name}',
    ])
    assert.equal(output, 'bootstrap signer')
    await helm(['uninstall', 'one', `--namespace=${namespace}`], cluster.kubeconfig)
    const left = await cluster.kubectl([
      'get',
      'deployments,services,configmaps,networkpolicies,poddisruptionbudgets,serviceaccounts,secrets',
      `--namespace=${namespace}`,
      '--output=name',
    ])
    assert.deepEqual(left, { code: 0, output: '', complaint: '' })
  })

  describe('allows the service accounts to', () => {
    const namespace = 'accounts'
    const none = 'accounts-none'
    before(async () => {
      await cluster.createNamespace(namespace)
      await cluster.createNamespace(none)
      const { text } = await render({ example: 'impersonation', namespace })
      assert.deepEqual(await applied(namespace, text), TAKEN)
      const plain = await render({ namespace: none })
      assert.deepEqual(await applied(none, plain.text), TAKEN)
    })

    const may = async (of: string, account: string, ...what: readonly string[]) => {
      const { output } = await cluster.kubectl([
        'auth',
        'can-i',
        ...what,
        `--as=system:serviceaccount:${of}:${account}`,
      ])
      return output.trim()
    }

    const ASKED: readonly (readonly [string, readonly string[], string])[] = [
      ['ask whose a token is', ['create', 'tokenreviews.authentication.k8s.io'], 'yes'],
      ['ask what is allowed', ['create', 'subjectaccessreviews.authorization.k8s.io'], 'yes'],
      ['be any user', ['impersonate', 'users'], 'yes'],
      ['be of a group that is listed', ['impersonate', 'groups/developers'], 'yes'],
      ['be of another group', ['impersonate', 'groups/system:masters'], 'no'],
      ['be another service account', ['impersonate', 'serviceaccounts', '--all-namespaces'], 'no'],
      ['read secrets', ['get', 'secrets', '--all-namespaces'], 'no'],
      ['list secrets here', ['list', 'secrets', `--namespace=${namespace}`], 'no'],
      ['read config maps', ['get', 'configmaps', `--namespace=${namespace}`], 'no'],
      ['make tokens', ['create', 'serviceaccounts/token', `--namespace=${namespace}`], 'no'],
      ['make pods', ['create', 'pods', `--namespace=${namespace}`], 'no'],
      ['do anything', ['*', '*', '--all-namespaces'], 'no'],
    ]
    for (const [what, question, answer] of ASKED) {
      it(`${what}: ${answer} for authz where the values say so, no for Envoy, no by default`, async () => {
        const answers = await Promise.all([
          may(namespace, 'countersign-authz', ...question),
          may(namespace, 'countersign-envoy', ...question),
          may(none, 'countersign-authz', ...question),
        ])
        assert.deepEqual(answers, [answer, 'no', 'no'])
      })
    }

    it('impersonate the users that they may, in fact', async () => {
      const token = await cluster.server.tokenOf(namespace, 'countersign-authz')
      const outputOf = async (...args: readonly string[]) =>
        await kubectl([
          `--server=${cluster.server.url}`,
          `--certificate-authority=${cluster.server.ca}`,
          `--token=${token}`,
          '--as=alice',
          ...args,
        ])
      const user = '--output=jsonpath={.status.userInfo.username} {.status.userInfo.groups[0]}'
      const alice = await outputOf('--as-group=developers', 'auth', 'whoami', user)
      assert.equal(alice.output, 'alice developers')
      const masters = await outputOf('--as-group=system:masters', 'get', '--raw=/apis')
      assert.match(masters.complaint, /groups "system:masters" is forbidden/)
      const uid = await outputOf('--as-uid=1', 'get', '--raw=/apis')
      assert.match(uid.complaint, /uids.* is forbidden/)
    })
  })
})
