// `authz.workers` of the chart: each endpoint that the generated Envoy calls is a port of the container, of the Service and of both
// network policies, and there is no other.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { countersign } from '../../cli/run.ts'
import { temporaryFolder } from '../../servers/temporary.ts'
import { containerOf, render, skipWithoutHelm, type Rendered } from './rendered.ts'

const HOST = 'countersign-authz.countersign.svc.cluster.local'
const LOGIN = {
  example: 'login',
  values: { authz: { replicas: 1, workers: 3 }, state: { kind: 'sqlite' } },
} as const

const ports = z.array(
  z.looseObject({
    name: z.string(),
    containerPort: z.number().optional(),
    port: z.number().optional(),
  }),
)

/** The ports of the workers by their names: without that of the metrics. */
const named = (value: unknown): Readonly<Record<string, number | undefined>> =>
  Object.fromEntries(
    ports
      .parse(value)
      .filter(({ name }) => name !== 'admin')
      .map(({ name, containerPort, port }) => [name, containerPort ?? port]),
  )

const servicePorts = ({ objects }: Rendered): unknown => {
  const service = objects.find(
    ({ kind, metadata: { name } }) => kind === 'Service' && name === 'countersign-authz',
  )
  return z.looseObject({ ports: z.unknown() }).parse(service?.['spec']).ports
}

/** The rules with these ports, of the direction of a policy. */
const policyPorts = (
  { objects }: Rendered,
  name: string,
  direction: 'ingress' | 'egress',
): readonly unknown[] => {
  const policy = objects.find(
    ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === name,
  )
  const rules = z.array(z.looseObject({ ports: z.array(z.unknown()) }))
  return rules
    .parse(z.looseObject({}).parse(policy?.['spec'])[direction])
    .map(({ ports: allowed }) => allowed)
}

const addressSchema = z.object({
  endpoint: z.object({
    address: z.object({
      socket_address: z.object({ address: z.string(), port_value: z.number() }),
    }),
  }),
})
const clusterSchema = z.looseObject({
  name: z.string(),
  load_assignment: z.object({
    endpoints: z.array(z.object({ lb_endpoints: z.array(z.unknown()) })),
  }),
})

/** The endpoints of a cluster of the Envoy that the init container generates. */
const endpointsOf = async (
  { configMaps }: Rendered,
  cluster: string,
): Promise<readonly string[]> => {
  await using folder = await temporaryFolder()
  const config = folder.file('countersign.yaml')
  await writeFile(config, configMaps['countersign-config']?.['countersign.yaml'] ?? '')
  const result = await countersign(['envoy', 'generate', '--config', config])
  assert.equal(result.status, 0, result.stderr)
  const { clusters } = z
    .object({ clusters: z.array(z.looseObject({ name: z.string() })) })
    .parse(parse(result.stdout)['static_resources'])
  const found = clusterSchema.parse(clusters.find(({ name }) => name === cluster))
  return found.load_assignment.endpoints
    .flatMap(({ lb_endpoints: endpoints }) => endpoints)
    .map((endpoint) => addressSchema.parse(endpoint).endpoint.address.socket_address)
    .map(({ address, port_value: port }) => `${address}:${port}`)
}

describe('several workers in a pod of the chart', { skip: skipWithoutHelm() }, () => {
  it('have ports in the container and in the Service', async () => {
    const rendered = await render(LOGIN)
    const wanted = {
      grpc: 9001,
      'grpc-1': 9002,
      'grpc-2': 9003,
      issuer: 8081,
      'issuer-1': 8082,
      'issuer-2': 8083,
    }
    assert.deepEqual(named(containerOf(rendered.pods('authz'), 'authz')['ports']), wanted)
    assert.deepEqual(named(servicePorts(rendered)), wanted)
  })

  it('are what the generated Envoy calls', async () => {
    const rendered = await render(LOGIN)
    const at = (port: number): string => `${HOST}:${port}`
    assert.deepEqual(
      await endpointsOf(rendered, 'countersign:authz'),
      [9001, 9002, 9003].map((port) => at(port)),
    )
    assert.deepEqual(
      await endpointsOf(rendered, 'countersign:issuer'),
      [8081, 8082, 8083].map((port) => at(port)),
    )
  })

  it('may be called by Envoy, on their ports alone', async () => {
    const rendered = await render(LOGIN)
    const wanted = [
      { protocol: 'TCP', port: 9001, endPort: 9003 },
      { protocol: 'TCP', port: 8081, endPort: 8083 },
    ]
    assert.deepEqual(policyPorts(rendered, 'countersign-authz', 'ingress')[0], wanted)
    const egress = policyPorts(rendered, 'countersign-envoy', 'egress')
    assert.deepEqual(
      egress.filter((rule) => JSON.stringify(rule).includes('9001')),
      [wanted],
    )
  })

  it('restart authz and Envoy when their number changes', async () => {
    const sum = async (workers: number) => {
      const { pods } = await render({
        ...LOGIN,
        values: { ...LOGIN.values, authz: { replicas: 1, workers } },
      })
      return (['authz', 'envoy'] as const).map((part) => {
        const { annotations } = pods(part).metadata
        return annotations['checksum/until-restart'] ?? annotations['checksum/bootstrap']
      })
    }
    const [two, three] = await Promise.all([sum(2), sum(3)])
    for (const index of [0, 1]) assert.notEqual(two[index], three[index])
  })

  it('need no store where nothing is counted', async () => {
    const { configMaps } = await render({ values: { authz: { workers: 4 } } })
    const config: unknown = parse(configMaps['countersign-config']?.['countersign.yaml'] ?? '')
    assert.partialDeepStrictEqual(config, { workers: 4, state: { memory: {} } })
  })

  it('may be in the configuration too, with the same number', async () => {
    const values = { config: { workers: 2 }, authz: { workers: 2 } }
    const { configMaps } = await render({ values })
    assert.match(configMaps['countersign-config']?.['countersign.yaml'] ?? '', /^workers: 2$/m)
  })

  it('are one without the value: ports have names alone, and the key is left out', async () => {
    const rendered = await render({ example: 'login' })
    assert.deepEqual(named(servicePorts(rendered)), { grpc: 9001, issuer: 8081 })
    assert.deepEqual(policyPorts(rendered, 'countersign-authz', 'ingress')[0], [
      { protocol: 'TCP', port: 'grpc' },
      { protocol: 'TCP', port: 'issuer' },
    ])
    assert.doesNotMatch(
      rendered.configMaps['countersign-config']?.['countersign.yaml'] ?? '',
      /workers/,
    )
  })
})
