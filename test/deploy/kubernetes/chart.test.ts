// What the chart renders: that it is as confined as it says, and that its parts fit each other.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { HEALTH_PROBE } from '../../../scripts/release/health-probe.ts'
import {
  containerOf,
  render,
  skipWithoutHelm,
  VALUE_SETS,
  type Container,
  type PodTemplate,
  type Rendered,
  type Values,
} from './rendered.ts'

const skip = skipWithoutHelm()
const AUTHZ_GRACE = 10 // src/authz.ts
const SIGNER_GRACE = 2 // src/signer.ts

const partsOf = ({ objects, pods }: Rendered): readonly PodTemplate[] =>
  (['authz', 'envoy'] as const)
    .filter((part) =>
      objects.some(
        ({ kind, metadata: { name } }) => kind === 'Deployment' && name.endsWith(`-${part}`),
      ),
    )
    .map(pods)

const containersOf = ({ spec }: PodTemplate): readonly Container[] => [
  ...spec.initContainers,
  ...spec.containers,
]

describe('the rendered chart', { skip }, () => {
  for (const [name, values] of Object.entries(VALUE_SETS)) {
    describe(`with ${name}`, async () => {
      const rendered = skip === false ? await render(values) : undefined

      it('confines every container, and limits its resources', () => {
        assert.ok(rendered)
        for (const { securityContext, resources } of partsOf(rendered).flatMap(containersOf)) {
          const { runAsUser, runAsGroup, ...rest } = securityContext
          assert.equal(runAsUser, runAsGroup)
          assert.deepEqual(rest, {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          })
          assert.ok(resources.requests['cpu'] && resources.requests['memory'])
          assert.ok(resources.limits['memory'])
        }
      })

      it('lets containers write to memory, scratch volumes and the state only', () => {
        assert.ok(rendered)
        for (const template of partsOf(rendered)) {
          const scratch = template.spec.volumes.filter(
            ({ emptyDir, persistentVolumeClaim: claim }) =>
              emptyDir !== undefined || claim?.claimName === 'countersign-state',
          )
          const writable = containersOf(template)
            .flatMap(({ volumeMounts }) => volumeMounts)
            .filter(({ readOnly }) => !readOnly)
          for (const { name: volume } of writable) {
            assert.ok(scratch.some((candidate) => candidate.name === volume))
          }
        }
      })

      it('mounts a token into authz where it calls the API server, and nowhere else', () => {
        assert.ok(rendered)
        const mounted = partsOf(rendered).map(({ spec }) => spec.automountServiceAccountToken)
        assert.deepEqual(
          mounted.slice(1),
          mounted.slice(1).map(() => false),
        )
        assert.equal(mounted[0], values.example === 'impersonation')
        assert.equal(
          rendered.objects.some(({ kind }) => kind === 'ClusterRole'),
          values.example === 'impersonation',
        )
      })

      it('waits at the end for late connections, and for requests in flight', () => {
        assert.ok(rendered)
        const grace = { authz: AUTHZ_GRACE, envoy: SIGNER_GRACE, bootstrap: 0, signer: 0 }
        for (const { spec } of partsOf(rendered)) {
          for (const { name: container, lifecycle } of spec.containers) {
            const drain = lifecycle?.preStop.sleep.seconds ?? assert.fail('nothing before the end')
            const needed = drain + (container === 'authz' ? grace.authz : grace.envoy)
            assert.ok(spec.terminationGracePeriodSeconds > needed)
          }
        }
      })

      it('has probes for every container that keeps running', () => {
        assert.ok(rendered)
        for (const container of partsOf(rendered).flatMap(containersOf)) {
          if (container.name === 'bootstrap') continue
          const { startupProbe, livenessProbe, readinessProbe } = container
          assert.ok(startupProbe && livenessProbe && readinessProbe, container.name)
        }
      })
    })
  }
})

describe('the parts of the rendered chart', { skip }, () => {
  const example: Values = { example: 'certificate' }

  it('match each other: probes use the addresses of the configurations', async () => {
    const { pods, configMaps } = await render(example)
    const authz = containerOf(pods('authz'), 'authz')
    assert.deepEqual(authz.livenessProbe?.httpGet, { path: '/livez', port: 'admin' })
    assert.deepEqual(authz.readinessProbe?.httpGet, { path: '/readyz', port: 'admin' })
    const { listen } = parse(configMaps['countersign-config']?.['countersign.yaml'] ?? '')
    assert.deepEqual(authz['ports'], [
      { name: 'grpc', containerPort: Number(listen.authz.address.split(':')[1]) },
      { name: 'admin', containerPort: Number(listen.admin.address.split(':')[1]) },
    ])
    const signer = containerOf(pods('envoy'), 'signer')
    assert.deepEqual(signer.readinessProbe?.exec?.command, [HEALTH_PROBE])
    const health = signer.env.find(({ name }) => name === 'COUNTERSIGN_HEALTH_ADDRESS')
    const own = parse(configMaps['countersign-signer']?.['signer.yaml'] ?? '')
    assert.equal(health?.value, own.listen)
  })

  it('start the signer before Envoy and end it after Envoy, as a sidecar', async () => {
    const { spec } = (await render(example)).pods('envoy')
    const order = spec.initContainers.map(({ name, restartPolicy }) => [name, restartPolicy])
    assert.deepEqual(order, [
      ['bootstrap', undefined],
      ['signer', 'Always'],
    ])
  })

  it('have only their own secrets', async () => {
    const { pods } = await render(example)
    const secretsOf = (template: PodTemplate, name: string): readonly (string | undefined)[] =>
      containerOf(template, name)
        .volumeMounts.map((mount) => template.spec.volumes.find((one) => one.name === mount.name))
        .filter((volume) => volume?.secret !== undefined)
        .map((volume) => volume?.secret?.secretName)
    const [authz, envoy] = [pods('authz'), pods('envoy')]
    assert.deepEqual(
      [
        secretsOf(authz, 'authz'),
        secretsOf(envoy, 'bootstrap'),
        secretsOf(envoy, 'signer'),
        secretsOf(envoy, 'envoy'),
      ],
      [
        ['countersign-authz-tls', 'countersign-grants', 'countersign-users'],
        [],
        ['countersign-ca', 'countersign-grants'],
        ['countersign-edge-tls', 'countersign-envoy-tls'],
      ],
    )
  })

  it('let Envoy reach the signer’s socket by a group, and no other pod', async () => {
    const { spec } = (await render(example)).pods('envoy')
    assert.equal(spec.securityContext.fsGroup, 10_003)
    const sockets = containersOf({ metadata: { labels: {}, annotations: {} }, spec }).flatMap(
      ({ name, volumeMounts }) =>
        volumeMounts
          .filter((mount) => mount.name === 'sockets')
          .map(({ mountPath, readOnly }) => [name, mountPath, readOnly]),
    )
    assert.deepEqual(sockets, [
      ['signer', '/run/countersign', false],
      ['envoy', '/run/countersign', true],
    ])
  })

  it('may not communicate without a policy', async () => {
    const { objects } = await render({})
    const denial = objects.find(({ metadata: { name } }) => name === 'countersign-deny')
    assert.deepEqual(denial?.['spec'], {
      podSelector: {
        matchLabels: {
          'app.kubernetes.io/instance': 'countersign',
          'app.kubernetes.io/name': 'countersign',
        },
      },
      policyTypes: ['Ingress', 'Egress'],
    })
  })
})

describe('a change of the chart’s values', { skip }, () => {
  const checksums = async (values: object): Promise<readonly (string | undefined)[]> => {
    const { pods } = await render({ example: 'certificate', values })
    return [
      pods('authz').metadata.annotations['checksum/until-restart'],
      pods('envoy').metadata.annotations['checksum/bootstrap'],
    ]
  }
  const route = (fields: object): object => ({
    config: {
      routes: [
        {
          name: 'kubernetes',
          authenticate: ['staff-password'],
          match: { hosts: ['kube.example.org'] },
          ...fields,
        },
      ],
    },
  })
  const before = route({ authorize: [{ allow: 'all' }] })
  const CASES: readonly { name: string; values: object; restarts: readonly boolean[] }[] = [
    {
      name: 'of a rule restarts nothing: authz reloads it',
      values: route({ authorize: [{ allow: 'some', groups: ['dev'] }] }),
      restarts: [false, false],
    },
    {
      name: 'of a route restarts Envoy, which needs it',
      values: route({ authorize: [{ allow: 'all' }], match: { hosts: ['k.example.org'] } }),
      restarts: [false, true],
    },
    {
      name: 'of the state restarts authz',
      values: { ...before, state: { kind: 'redis' } },
      restarts: [true, false],
    },
    {
      name: 'of a port restarts both',
      values: { ...before, authz: { port: 9002 } },
      restarts: [true, true],
    },
  ]
  for (const { name, values, restarts } of CASES) {
    it(name, async () => {
      const [was, is] = await Promise.all([checksums(before), checksums(values)])
      assert.deepEqual(
        was.map((checksum, index) => checksum !== is[index]),
        restarts,
      )
    })
  }
})
