// What of a configuration may be long, and is therefore checked in slices: its routes, and their rules.

import { authorizeSchema, ruleListSchema } from '../authorize/schema.ts'
import type { LongPart } from '../config/long-parts.ts'
import { configSchema } from './schema.ts'

/** The long parts of a document that is yet to be checked. */
export function* longParts(raw: unknown): Generator<LongPart> {
  const routes = memberOf(raw, 'routes')
  yield { path: ['routes'], schema: configSchema.shape.routes }
  for (const [index, route] of listOf(routes).entries()) {
    const path = ['routes', index, 'authorize']
    yield { path, schema: authorizeSchema }
    for (const [position, entry] of listOf(memberOf(route, 'authorize')).entries()) {
      if (memberOf(entry, 'rules') === undefined) continue
      yield { path: [...path, position, 'rules'], schema: ruleListSchema.shape.rules }
    }
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const memberOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, key)?.value
    : undefined
