// The results about certificates, as readable text.

import { alignColumns, rowsTable } from '../table.ts'
import type { CertificateResults } from './certificates.ts'
import type { FirstRequestCost } from './first-request.ts'
import type { LiveCost, Memory } from './live.ts'
import { MINTED_KINDS, type MintingCosts } from './minting.ts'
import type { ByProcess } from './site.ts'
import type { Target } from './targets.ts'

/** The tables, with what they mean. */
export const certificateTables = (results: CertificateResults): string => {
  const { warm, firstRequest, minting, live, targets } = results
  return [
    'Certificates: a known identity',
    '',
    rowsTable([...warm.direct, ...warm.envoy], '× headers'),
    '',
    ...(firstRequest === undefined ? [] : [firstRequestText(firstRequest), '']),
    mintingText(minting),
    '',
    ...(live === undefined ? [] : [liveText(live), '']),
    targetsTable(targets),
  ].join('\n')
}

const firstRequestText = ({
  identities,
  perSecond,
  rounds,
  p50,
  p90,
  p99,
  max,
  cpu,
}: FirstRequestCost): string =>
  [
    `Certificates: the first request of ${identities} new identities, ${perSecond} a second, ${rounds} times`,
    '',
    alignColumns([
      ['', 'p50 ms', 'p90', 'p99', 'max', ...PROCESSES.map((name) => `${name} µs`)],
      [
        'first request',
        ...[p50, p90, p99, max].map((value) => value.toFixed(2)),
        ...PROCESSES.map((name) => cpu[name].toFixed(0)),
      ],
    ]),
  ].join('\n')

const PROCESSES = [
  'authz',
  'signer',
  'envoy',
  'upstream',
] as const satisfies readonly (keyof ByProcess<number>)[]

const PARTS = ['open', 'limits', 'der', 'sign', 'verify', 'pem'] as const

const mintingText = (costs: MintingCosts): string =>
  [
    'Certificates: minting, CPU µs for each, the CA of the same kind of key',
    '',
    alignColumns([
      ['', ...PARTS, 'rest', 'key', 'total', 'der+sign+pem', 'by @peculiar/x509'],
      ...MINTED_KINDS.map((kind) => {
        const { parts, issue, key, library } = costs[kind]
        const known = PARTS.reduce((sum, part) => sum + parts[part], 0)
        const { der, sign, pem } = parts
        return [
          kind,
          ...[
            ...PARTS.map((part) => parts[part]),
            issue - known,
            key,
            issue + key,
            der + sign + pem,
            library,
          ].map((cost) => cost.toFixed(0)),
        ]
      }),
    ]),
    '',
    'rest: audit event, fingerprints; key: a new one, also where another thread makes it in advance.',
  ].join('\n')

const liveText = (live: LiveCost): string => {
  const { identities, seconds, connections, streams, misattributed, idle } = live
  const line = (title: string, { authz, signer, envoy, envoyHeap }: Memory): readonly string[] => [
    title,
    ...[authz, signer, envoy, envoyHeap].map((bytes) => (bytes / 1e3).toFixed(1)),
  ]
  return [
    `Certificates: ${identities} identities at once, KB for each, resident`,
    ...(live.reduced === undefined ? [] : [`(fewer than requested: ${live.reduced})`]),
    '',
    alignColumns([
      ['', 'authz', 'signer', 'Envoy', 'Envoy, allocated'],
      line(`with ${connections} connections`, live.memory),
      line('the same, garbage collected', live.collected),
      ...(idle === undefined
        ? []
        : [line(`${idle.connections} connections left of those idle`, idle.memory)]),
    ]),
    '',
    `All once in ${seconds.first.toFixed(1)} s, then again in ${seconds.second.toFixed(1)} s; ${misattributed} misattributed; ${streams} open streams to the signer.`,
  ].join('\n')
}

const targetsTable = (targets: readonly Target[]): string =>
  alignColumns([
    ['Targets', 'measured', 'at most', 'result'],
    ...targets.map(({ name, unit, most, measured, met }) => [
      name,
      `${measured.toFixed(measured < 10 ? 2 : 0)} ${unit}`,
      `${most} ${unit}`,
      met ? 'met' : 'missed',
    ]),
  ])
