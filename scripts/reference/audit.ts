// docs/reference/audit-events.md: every event of the audit log with its fields, and a recorded line of each.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { EVENT_SCHEMAS, lineKeys } from '../../src/audit/events/events-schema.ts'
import { block, code, table, type ReferencePage } from './markdown.ts'
import { schemaNode, typeOf, type SchemaNode } from './schema-node.ts'

/** Lines that tests recorded: of every event at least one. */
export const recordedLines = (): readonly string[] =>
  readFileSync(resolve(import.meta.dirname, 'examples/audit.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')

/** The page. */
export const auditPage = (): ReferencePage => ({
  file: 'docs/reference/audit-events.md',
  title: 'Audit events',
  from: 'src/audit/events/ and scripts/reference/examples/audit.jsonl',
  body: [
    'Each line of the [audit log](audit-log.md) is a JSON object. Fields without a value are absent. `countersign schema audit` prints the JSON Schema of a line. Later releases may add fields and events.',
    'Every line has these fields:',
    table(
      ['field', 'type', 'meaning'],
      Object.entries(lineKeys).map(([name, schema]) => {
        const node = schemaNode(schema)
        return [code(name), typeOf(node), node.description ?? '']
      }),
    ),
    '## authz',
    ...EVENT_SCHEMAS.authz.flatMap(eventSection),
    '## signer',
    ...EVENT_SCHEMAS.signer.flatMap(eventSection),
    '## authz and signer',
    ...EVENT_SCHEMAS.both.flatMap(eventSection),
  ],
})

const eventSection = (schema: z.ZodType): readonly string[] => {
  const node = schemaNode(schema)
  const name = String(node.properties?.['event']?.const)
  return [
    `### ${name}`,
    node.description ?? '',
    table(['field', 'type', 'present', 'meaning'], [...rowsOf(node, '')]),
    block(
      'json',
      recordedLines()
        .filter((line) => line.includes(`"event":"${name}"`))
        .join('\n'),
    ),
  ]
}

function* rowsOf(node: SchemaNode, prefix: string): Generator<readonly string[]> {
  for (const [key, child] of Object.entries(node.properties ?? {})) {
    const present = node.required?.includes(key) === true ? 'always' : ''
    const meaning = (child.description ?? '').replace('reason code', '[reason code](reasons.md)')
    yield [code(`${prefix}${key}`), shortTypeOf(child), present, meaning]
    yield* rowsOf(child, `${prefix}${key}.`)
    if (child.items !== undefined) yield* rowsOf(child.items, `${prefix}${key}[].`)
  }
}

// More choices than a table can show have a page of their own.
const MOST_CHOICES = 20

const shortTypeOf = (node: SchemaNode): string =>
  (node.enum?.length ?? 0) > MOST_CHOICES ? 'string' : typeOf(node)
