// The output of `countersign openapi`. Control characters of descriptions and configurations are
// replaced.

import type { ChangedOperation, OperationsDiff } from '../../request/openapi/diff.ts'
import type { ApiDescription } from '../../request/openapi/document.ts'
import type { Operation, Scopes } from '../../request/openapi/operation.ts'
import { linesAsText } from '../format.ts'
import { printableJson } from '../printable.ts'
import type { RuleDrift } from './rules.ts'

interface Version {
  readonly file: string
  readonly description: ApiDescription
}

/** The changes, and their effect on rules. */
export interface DiffReport extends OperationsDiff {
  readonly old: Version
  readonly new: Version
  readonly routes: readonly {
    readonly route: string
    readonly rules: readonly RuleDrift[]
    readonly unnamed: readonly Operation[]
  }[]
}

/** The operations, a line each. */
export const listAsText = (description: ApiDescription): string =>
  linesAsText([
    heading(description),
    ...description.operations.map((operation) => row(' ', operation)),
  ])

/** The operations as JSON. */
export const listAsJson = ({ title, format, base, operations }: ApiDescription): string =>
  json({ title, format, base, operations: operations.map(summary) })

/** The report as JSON. */
export const diffAsJson = (report: DiffReport): string =>
  json({
    old: versionSummary(report.old),
    new: versionSummary(report.new),
    added: report.added.map(summary),
    removed: report.removed.map(summary),
    changed: report.changed.map((change) => ({
      id: change.id,
      fields: change.fields,
      old: summary(change.old),
      new: summary(change.new),
    })),
    renamed: report.renamed.map(({ method, template, old, new: now }) => ({
      method,
      template,
      old: old.id,
      new: now.id,
    })),
    routes: report.routes.map(({ route, rules, unnamed }) => ({
      route,
      rules: rules.map(({ place, ...rule }) => ({
        ...rule,
        line: place.position?.line,
        column: place.position?.column,
      })),
      unnamed: unnamed.map(({ id }) => id),
    })),
  })

/** The report as text. */
export const diffAsText = (report: DiffReport): string => {
  const { old, new: now, added, removed, changed, renamed, routes } = report
  const [before, after] = [old.description, now.description]
  return linesAsText([
    `old  ${old.file}: ${heading(before)}`,
    `new  ${now.file}: ${heading(after)}`,
    ...(before.base === after.base
      ? []
      : [`base path: ${before.base || '/'} → ${after.base || '/'}`]),
    ...added.map((operation) => row('+', operation)),
    ...removed.map((operation) => row('-', operation)),
    ...changed.flatMap(changeRows),
    ...renamed.map(
      ({ method, template, old: one, new: other }) =>
        `= ${method} ${template}  ${one.id} → ${other.id}`,
    ),
    `${added.length} added, ${removed.length} removed, ${changed.length} changed, ${renamed.length} renamed`,
    ...routes.flatMap(({ route, rules, unnamed }) => [
      '',
      `route ${route}`,
      ...rules.flatMap(ruleRows),
      ...unnamed.map((operation) => row('  not named by any rule: ', operation)),
    ]),
  ])
}

const heading = ({ title, format, operations }: ApiDescription): string =>
  `${title} (${format === '2.0' ? 'Swagger' : 'OpenAPI'} ${format}, ${operations.length} operations)`

const row = (mark: string, operation: Operation): string => {
  const { method, template, id, tags, scopes, deprecated } = operation
  const needed = scopesText(scopes)
  return [
    `${mark} ${method} ${template}`,
    id,
    ...(tags.length === 0 ? [] : [`[${tags.join(', ')}]`]),
    ...(needed === '' ? [] : [`scopes ${needed}`]),
    ...(deprecated ? ['deprecated'] : []),
  ].join('  ')
}

const scopesText = (scopes: Scopes): string =>
  scopes.some((one) => one.length === 0) ? '' : scopes.map((one) => one.join(' ')).join(' | ')

const changeRows = ({ id, old, new: now, fields }: ChangedOperation): readonly string[] => [
  `~ ${id}`,
  ...fields.map((field) => `    ${field}  ${fieldText(old, field)} → ${fieldText(now, field)}`),
]

const fieldText = (operation: Operation, field: ChangedOperation['fields'][number]): string => {
  if (field === 'tags') return operation.tags.join(', ') || 'none'
  if (field === 'scopes') return scopesText(operation.scopes) || 'none'
  return operation[field]
}

const ruleRows = (drift: RuleDrift): readonly string[] => {
  const { rule, effect, place, broken, unmatched, taken, gained, lost } = drift
  const at = place.position === undefined ? '' : `:${place.position.line}:${place.position.column}`
  return [
    `${broken ? 'FAILED' : 'ok    '}  ${effect} ${rule} (${place.file}${at}): ${taken} operations`,
    ...unmatched.map(
      ({ key, pattern }) => `    ${key}: ${JSON.stringify(pattern)} no longer matches`,
    ),
    ...(taken === 0 && unmatched.length === 0 ? ['    no longer matches'] : []),
    ...gained.map((id) => `    + now matches ${id}`),
    ...lost.map((id) => `    - no longer matches ${id}`),
  ]
}

const summary = ({ id, method, template, tags, deprecated, scopes }: Operation): object => ({
  id,
  method,
  template,
  tags,
  deprecated,
  scopes,
})

const versionSummary = ({ file, description }: Version): object => ({
  file,
  title: description.title,
  format: description.format,
  base: description.base,
  operations: description.operations.length,
})

const json = (value: unknown): string => `${printableJson(value, 2)}\n`
