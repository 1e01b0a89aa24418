// The conformance tests of CEL, of the Go module `cel.dev/expr`, by the engine of this project.

import { Duration, UnsignedInt } from '@marcbachmann/cel-js/evaluator'
import { Optional, type Environment } from '@marcbachmann/cel-js'
import { compileIn } from '../../src/expression/cel.ts'
import { environmentOf } from '../../src/expression/environments.ts'
import type { Message, Scalar } from './textproto.ts'

/** One test of a file. */
export interface ConformanceCase {
  readonly name: string
  readonly test: Message
}

/**
 * How a test went. `inapplicable`: it is about protocol buffers, containers or the checker alone, which no
 * policy can express. `unanswered`: the evaluation fails where the specification has a value, so that a
 * rule refuses.
 */
export type ConformanceResult =
  | { readonly outcome: 'passed' | 'inapplicable' }
  | { readonly outcome: 'refused' | 'wrong' | 'unanswered'; readonly detail: string }

/** The tests of a file. */
export const casesOf = (file: Message): readonly ConformanceCase[] =>
  messagesOf(file, 'section').flatMap((section) =>
    messagesOf(section, 'test').map((test) => ({
      name: `${textOf(file, 'name')}/${textOf(section, 'name')}/${textOf(test, 'name')}`,
      test,
    })),
  )

/** Runs a test. */
export const runCase = ({ test }: ConformanceCase): ConformanceResult => {
  const environment = environmentFor(test)
  const want = wantedOf(test)
  if (environment === undefined || want === undefined) return { outcome: 'inapplicable' }
  const compiled = compileIn(textOf(test, 'expr'), environment)
  if (!compiled.ok) return { outcome: 'refused', detail: compiled.message }
  const got = compiled.expression.evaluate(bindingsOf(test))
  if (want === 'error') {
    return got === undefined
      ? { outcome: 'passed' }
      : { outcome: 'wrong', detail: `${shown(got.value)}, where an error belongs` }
  }
  const detail = `${got === undefined ? 'an error' : shown(got.value)}, where ${shown(want.value)} belongs`
  if (got === undefined) return { outcome: 'unanswered', detail }
  return isSame(got.value, want.value) ? { outcome: 'passed' } : { outcome: 'wrong', detail }
}

const PROTOBUF = /TestAllTypes|google\.protobuf\.|NestedEnum|GlobalEnum|proto\.(?:has|get)Ext/

const environmentFor = (test: Message): Environment | undefined => {
  const inapplicable =
    textOf(test, 'container') !== '' ||
    wordOf(test, 'check_only') === 'true' ||
    PROTOBUF.test(textOf(test, 'expr'))
  if (inapplicable) return undefined
  const environment = environmentOf('claims').clone()
  for (const declaration of messagesOf(test, 'type_env')) {
    const ident = messagesOf(declaration, 'ident')[0]
    const type = ident && typeNameOf(messagesOf(ident, 'type')[0])
    const name = textOf(declaration, 'name')
    if (type === undefined || !/^[a-z_]\w*$/i.test(name)) return undefined
    environment.registerVariable(name, type)
  }
  return environment
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  BOOL: 'bool',
  BYTES: 'bytes',
  DOUBLE: 'double',
  INT64: 'int',
  STRING: 'string',
  UINT64: 'uint',
}
const WELL_KNOWN: Readonly<Record<string, string>> = {
  ANY: 'dyn',
  TIMESTAMP: 'google.protobuf.Timestamp',
  DURATION: 'google.protobuf.Duration',
}

/** A type as the library writes it; `undefined` for messages and what it does not have. */
const typeNameOf = (type: Message | undefined): string | undefined => {
  if (type === undefined) return undefined
  if ('dyn' in type) return 'dyn'
  if ('primitive' in type) return PRIMITIVES[wordOf(type, 'primitive')]
  if ('well_known' in type) return WELL_KNOWN[wordOf(type, 'well_known')]
  const list = messagesOf(type, 'list_type')[0]
  if (list !== undefined) {
    const element = typeNameOf(messagesOf(list, 'elem_type')[0])
    return element && `list<${element}>`
  }
  const map = messagesOf(type, 'map_type')[0]
  if (map === undefined) return undefined
  const key = typeNameOf(messagesOf(map, 'key_type')[0])
  const value = typeNameOf(messagesOf(map, 'value_type')[0])
  return key && value && `map<${key}, ${value}>`
}

const bindingsOf = (test: Message): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    messagesOf(test, 'bindings').map((binding) => {
      const value = messagesOf(messagesOf(binding, 'value')[0] ?? {}, 'value')[0] ?? {}
      return [textOf(binding, 'key'), valueOf(value)?.value]
    }),
  )

interface Wanted {
  readonly value: unknown
}

const wantedOf = (test: Message): Wanted | 'error' | undefined => {
  if ('eval_error' in test || 'any_eval_errors' in test) return 'error'
  if ('unknown' in test || 'any_unknowns' in test) return undefined
  const typed = messagesOf(test, 'typed_result')[0]
  const value = messagesOf(typed ?? test, typed === undefined ? 'value' : 'result')[0]
  // Without a matcher the value is to be true (simple.proto).
  return value === undefined ? { value: true } : valueOf(value)
}

const SCALARS: Readonly<Record<string, (value: Scalar) => unknown>> = {
  null_value: () => null,
  bool_value: (value) => word(value) === 'true',
  int64_value: (value) => BigInt(word(value).replace(/^-0x/, '-0x')),
  uint64_value: (value) => new UnsignedInt(BigInt(word(value))),
  double_value: (value) => Number(word(value).replace(/^(-?)inf(?:inity)?$/i, '$1Infinity')),
  string_value: (value) => (Buffer.isBuffer(value) ? value.toString() : undefined),
  bytes_value: (value) => (Buffer.isBuffer(value) ? new Uint8Array(value) : undefined),
  type_value: (value) => new TypeName(Buffer.isBuffer(value) ? value.toString() : ''),
}

/** A type as a value. */
class TypeName {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** `undefined`: a value of protocol buffers. */
const valueOf = (message: Message): Wanted | undefined => {
  const [kind = '', values = []] = Object.entries(message)[0] ?? []
  const [first] = values
  if (first === undefined) return undefined
  const scalar = SCALARS[kind]
  if (scalar !== undefined) return isScalar(first) ? { value: scalar(first) } : undefined
  if (isScalar(first)) return undefined
  if (kind === 'list_value') {
    const members = messagesOf(first, 'values').map(valueOf)
    return members.every((value) => value !== undefined)
      ? { value: members.map(({ value }) => value) }
      : undefined
  }
  if (kind === 'map_value') {
    const entries = messagesOf(first, 'entries').map((entry) => [
      valueOf(messagesOf(entry, 'key')[0] ?? {}),
      valueOf(messagesOf(entry, 'value')[0] ?? {}),
    ])
    return { value: new Map(entries.map(([key, value]) => [key?.value, value?.value])) }
  }
  return kind === 'object_value' ? objectOf(first) : undefined
}

const objectOf = (any: Message): Wanted | undefined => {
  const [name = '', values = []] = Object.entries(any)[0] ?? []
  const [inner] = values
  if (inner === undefined || isScalar(inner)) return undefined
  const seconds = BigInt(wordOf(inner, 'seconds') || '0')
  const nanos = Number(wordOf(inner, 'nanos') || '0')
  if (name.endsWith('google.protobuf.Duration]')) return { value: new Duration(seconds, nanos) }
  if (!name.endsWith('google.protobuf.Timestamp]')) return undefined
  return { value: new Date(Number(seconds) * 1_000 + nanos / 1_000_000) }
}

const isSame = (got: unknown, want: unknown): boolean => {
  if (want instanceof TypeName)
    return String(got) === `Type<${want.name === 'null_type' ? 'null' : want.name}>`
  if (want instanceof UnsignedInt) return got instanceof UnsignedInt && got.value === want.value
  if (want instanceof Duration) {
    return got instanceof Duration && got.seconds === want.seconds && got.nanos === want.nanos
  }
  if (want instanceof Date) return got instanceof Date && got.getTime() === want.getTime()
  if (want instanceof Uint8Array) {
    return got instanceof Uint8Array && Buffer.from(got).equals(Buffer.from(want))
  }
  if (Array.isArray(want)) {
    return (
      Array.isArray(got) &&
      got.length === want.length &&
      want.every((value, index) => isSame(got[index], value))
    )
  }
  if (want instanceof Map) return isSameMap(got, want)
  return Object.is(got, want) || (got === 0 && want === 0)
}

const isSameMap = (got: unknown, want: ReadonlyMap<unknown, unknown>): boolean => {
  if (typeof got !== 'object' || got === null || got instanceof Optional) return false
  const entries: readonly (readonly [unknown, unknown])[] =
    got instanceof Map ? [...got] : Object.entries(got)
  return (
    entries.length === want.size &&
    [...want].every(([key, value]) => entries.some(([k, v]) => isSame(k, key) && isSame(v, value)))
  )
}

const shown = (value: unknown): string =>
  typeof value === 'bigint'
    ? String(value)
    : value instanceof UnsignedInt
      ? `${value.value}u`
      : value instanceof Date
        ? String(value.getTime())
        : value instanceof Duration
          ? `${value.seconds}s ${value.nanos}ns`
          : Array.isArray(value)
            ? `[${value.map(shown).join(', ')}]`
            : value instanceof Map
              ? `{${[...value].map(([k, v]) => `${shown(k)}: ${shown(v)}`).join(', ')}}`
              : typeof value === 'string'
                ? JSON.stringify(value)
                : String(value)

const isScalar = (value: Message | Scalar): value is Scalar =>
  Buffer.isBuffer(value) || typeof value['word'] === 'string'

const word = (value: Scalar | undefined): string =>
  value === undefined || Buffer.isBuffer(value) ? '' : value.word

const messagesOf = (message: Message, field: string): readonly Message[] =>
  (message[field] ?? []).filter((value): value is Message => !isScalar(value))

const textOf = (message: Message, field: string): string => {
  const value = message[field]?.[0]
  return Buffer.isBuffer(value) ? value.toString() : ''
}

const wordOf = (message: Message, field: string): string => {
  const value = message[field]?.[0]
  return value !== undefined && isScalar(value) ? word(value) : ''
}
