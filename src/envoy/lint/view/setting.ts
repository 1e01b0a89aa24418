// A value of an Envoy configuration and its path. It reads protobuf's JSON form as Envoy
// does: both spellings of a field, enums by name or number, wrapped scalars, and YAML's yes and no.

import { isJsonObject } from '../../../runtime/json-object.ts'

/** The path to a value: names of fields, keys of maps, positions in lists. */
export type Path = readonly (string | number)[]

/** A value and its path. A missing setting has a path too: where it would be written. */
export class Setting {
  readonly path: Path
  readonly #value: unknown

  constructor(value: unknown, path: Path = []) {
    this.path = path
    this.#value = value
  }

  /** Whether it is written; protobuf takes `null` for absent. */
  get isSet(): boolean {
    return this.#value !== undefined && this.#value !== null
  }

  /** Whether it is a message or a map. */
  get isMessage(): boolean {
    return isJsonObject(this.#value)
  }

  /** A field of the message, in either spelling; several names lead further down. */
  get(...names: readonly string[]): Setting {
    return names.reduce<Setting>((message, name) => message.#field(name), this)
  }

  /** The entry of a map, whose keys are data and have one spelling. */
  entry(key: string): Setting {
    return new Setting(ownValue(this.#value, key), [...this.path, key])
  }

  /** The members of a message or map, as they are spelt. */
  entries(): readonly (readonly [string, Setting])[] {
    if (!isJsonObject(this.#value)) return []
    return Object.keys(this.#value).map((key) => [key, this.entry(key)])
  }

  /** The elements of a repeated field. */
  items(): readonly Setting[] {
    if (!Array.isArray(this.#value)) return []
    return this.#value.map((item: unknown, index) => new Setting(item, [...this.path, index]))
  }

  /** The value as a string; empty when absent, as in protobuf. */
  get text(): string {
    const value = this.#scalar()
    if (typeof value === 'string') return value
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
  }

  /** The value as a bool; `false` when absent. */
  get flag(): boolean {
    const value = this.#scalar()
    // Envoy reads YAML 1.1, in which these words are booleans, quoted or not (measured, 1.40).
    return value === true || (typeof value === 'string' && /^(true|yes|on|y)$/i.test(value))
  }

  /** The value as a number; 64-bit ones are strings in JSON. */
  get count(): number | undefined {
    const value = this.#scalar()
    if (typeof value === 'number') return value
    return typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : undefined
  }

  /** The value of a google.protobuf.Duration. */
  get milliseconds(): number | undefined {
    const seconds = /^(-?\d+(?:\.\d+)?)s$/.exec(this.text)?.[1]
    if (seconds !== undefined) return Number(seconds) * 1_000
    if (!this.isMessage) return undefined
    return (this.get('seconds').count ?? 0) * 1_000 + (this.get('nanos').count ?? 0) / 1_000_000
  }

  /** The name of an enum's value, whose names are given in the order of their numbers. */
  choice(names: readonly [string, ...string[]]): string {
    const value = this.#scalar() ?? 0
    return typeof value === 'number' ? (names[value] ?? String(value)) : this.text
  }

  /** This setting and everything below it, outermost first. */
  *walk(): Generator<Setting> {
    yield this
    for (const [, member] of this.entries()) yield* member.walk()
    for (const item of this.items()) yield* item.walk()
  }

  #field(name: string): Setting {
    const asWritten = Object.hasOwn(Object(this.#value), name) ? name : lowerCamelCase(name)
    const value = ownValue(this.#value, asWritten)
    // A missing field has its name in the documentation.
    return new Setting(value, [...this.path, value === undefined ? name : asWritten])
  }

  /** The value, out of its wrapper (google.protobuf.BoolValue and its like) if it has one. */
  #scalar(): unknown {
    return isJsonObject(this.#value) ? ownValue(this.#value, 'value') : this.#value
  }
}

/** Spellings by the names of fields, all of which are in the source of the rules. */
const spellings = new Map<string, string>()

/** The spelling of a field's name in protobuf's JSON form. */
const lowerCamelCase = (name: string): string => {
  const known = spellings.get(name)
  if (known !== undefined) return known
  const spelling = name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  spellings.set(name, spelling)
  return spelling
}

const ownValue = (value: unknown, key: string): unknown =>
  isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined
