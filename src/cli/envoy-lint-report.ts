// The output of `countersign envoy lint`: text and JSON.

import type { LintResult, PlacedFinding, Scope } from '../envoy/lint/lint.ts'
import { formatPath } from '../config/yaml-position.ts'
import { counted } from './format.ts'
import { printable, printableJson } from './printable.ts'

/** What was checked: a file, in which findings have lines, or a running Envoy. */
export interface Source {
  readonly kind: 'file' | 'admin'
  /** The path of the file; the address. */
  readonly name: string
}

/** A JSON array. */
export const findingsAsJson = (source: Source, findings: readonly PlacedFinding[]): string => {
  const rows = findings.map(
    ({ rule, severity, path, resource, problem, risk, remedy, ...rest }) => ({
      ...placeOf(source, rest),
      path: formatPath(path),
      resource: resource?.name,
      severity,
      rule,
      problem,
      risk,
      remedy,
    }),
  )
  return `${printableJson(rows, 2)}\n`
}

const placeOf = (
  { kind, name }: Source,
  { position: { line, column } }: Pick<PlacedFinding, 'position'>,
): object => (kind === 'file' ? { file: name, line, column } : { admin: name })

/** Lines of text; the last one summarises what was checked. */
export const findingsAsText = (
  source: Source,
  { findings, scope }: Extract<LintResult, { readonly ok: true }>,
): string => {
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const warnings = findings.length - errors
  const result =
    findings.length === 0
      ? 'nothing found'
      : `${counted(errors, 'error')}, ${counted(warnings, 'warning')}`
  const patched = scope.istio && findings.some(({ remedy }) => remedy.includes('EnvoyFilter'))
  const texts = [
    ...(source.kind === 'file'
      ? findings.map((finding) => inFile(source.name, finding))
      : alike(findings).map((several) => inEnvoy(source.name, several))),
    ...(patched ? [MISSPELT] : []),
    `${source.name}: ${result}; checked ${describe(scope)}`,
  ]
  return `${texts.join('\n')}\n`
}

const MISSPELT =
  'The API server, istiod and Envoy drop a misspelt field of an EnvoyFilter silently.\n'

const inFile = (file: string, finding: PlacedFinding): string => {
  const { position, resource, path } = finding
  return textOf(`${file}:${position.line}:${position.column}`, finding, [
    ...(resource === undefined ? [] : [`  in:    ${printable(resource.name)}`]),
    ...(path.length === 0 ? [] : [`  at:    ${printable(formatPath(path))}`]),
  ])
}

/** Groups equal findings: a gateway has a listener for each port. */
const alike = (findings: readonly PlacedFinding[]): readonly (readonly PlacedFinding[])[] => [
  ...Map.groupBy(findings, ({ rule, severity, problem }) =>
    JSON.stringify([rule, severity, problem]),
  ).values(),
]

/** Without lines, since there is no file; each place by its path in the resource. */
const inEnvoy = (name: string, findings: readonly PlacedFinding[]): string => {
  const [first] = findings
  if (first === undefined) return ''
  const places = findings.map(({ resource, path }) => {
    const at = formatPath(path.slice(resource?.path.length ?? 0))
    return printable([...(resource === undefined ? [] : [resource.name]), at].join(': '))
  })
  return textOf(
    name,
    first,
    places.filter((place) => place !== '').map((place) => `  at:    ${place}`),
  )
}

const textOf = (
  where: string,
  { rule, severity, problem, risk, remedy }: PlacedFinding,
  places: readonly string[],
): string =>
  [
    `${where}: ${severity}: ${printable(problem)} [${rule}]`,
    ...places,
    `  risk:  ${risk}`,
    `  write: ${remedy}\n`,
  ].join('\n')

const describe = ({ listeners, filters, routes, certificateUpstreams }: Scope): string =>
  [
    counted(listeners, 'listener'),
    counted(filters, 'ext_authz filter'),
    counted(routes, 'route'),
    counted(certificateUpstreams, 'certificate upstream'),
  ].join(', ')
