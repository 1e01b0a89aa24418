// The fields of an event of the audit log, read without trust: each has a value, and the first that is
// not what it should be is remembered in place of being thrown.

import type { Reason, RecordedKubernetes } from '../../audit/event.ts'
import type { ShadowVerdict } from '../../authorize/evaluate.ts'
import { isAuthenticationMethod, type Identity } from '../../identity/identity.ts'
import { isJsonObject, type JsonObject } from '../../runtime/json-object.ts'
import { PUBLIC_ANSWERS } from '../../check/answer/public-answers.ts'

/** Reads fields of an event. One that is not what it should be comes out as some harmless value. */
export class EventFields {
  /** The first field that is missing or not what it should be, such as `kubernetes.verb`. */
  fault: string | undefined
  readonly #members: JsonObject
  readonly #prefix: string

  /** @param prefix of the names of fields in `fault` */
  constructor(members: JsonObject, prefix = '') {
    this.#members = members
    this.#prefix = prefix
  }

  text(key: string): string {
    const value = this.#members[key]
    return typeof value === 'string' ? value : (this.#wrong(key) ?? '')
  }

  textOrNone(key: string): string | undefined {
    return this.#members[key] === undefined ? undefined : this.text(key)
  }

  texts(key: string): readonly string[] {
    const value = this.#members[key]
    return isTexts(value) ? value : (this.#wrong(key) ?? [])
  }

  /** A boolean; absent is `false`. */
  flag(key: string): boolean {
    const value = this.#members[key]
    if (value === undefined || typeof value === 'boolean') return value ?? false
    return this.#wrong(key) ?? false
  }

  oneOf<T extends string>(key: string, choices: readonly [T, ...T[]]): T {
    const value = this.#members[key]
    return choices.find((choice) => choice === value) ?? this.#wrong(key) ?? choices[0]
  }

  /** `time` in milliseconds since the epoch. */
  time(): number {
    const at = Date.parse(this.text('time'))
    return Number.isFinite(at) ? at : (this.#wrong('time') ?? 0)
  }

  /** `duration` in milliseconds; the event has microseconds. */
  duration(): number {
    const value = this.#members['duration']
    const known = typeof value === 'number' && Number.isFinite(value) && value >= 0
    return known ? value / 1_000 : (this.#wrong('duration') ?? 0)
  }

  reason(): Reason {
    const reason = this.text('reason')
    return isReason(reason) ? reason : (this.#wrong('reason') ?? 'internal-error')
  }

  /** The caller, as far as an event tells: without `uid`, `extra`, claims and certificate. */
  identity(): Identity {
    const method = this.text('authentication')
    const cut = this.#members['groupsOmitted']
    if (cut !== undefined && (typeof cut !== 'number' || cut < 0)) this.#wrong('groupsOmitted')
    return {
      user: this.text('user'),
      groups: this.texts('groups'),
      authenticator: this.text('authenticator').split('+', 1)[0] ?? '', // the first gives the identity
      method: isAuthenticationMethod(method)
        ? method
        : (this.#wrong('authentication') ?? 'anonymous'),
      digest: this.textOrNone('credential') ?? '',
      extra: {}, // not in the log
      ...(typeof cut === 'number' && cut > 0 ? { groupsOmitted: cut } : {}),
    }
  }

  shadows(): readonly ShadowVerdict[] {
    const value = this.#members['shadow']
    if (value === undefined) return []
    if (!Array.isArray(value)) return this.#wrong('shadow') ?? []
    return value.map((one: unknown, index) => {
      const fields = new EventFields(isJsonObject(one) ? one : {}, `shadow[${index}].`)
      const verdict = {
        rule: fields.text('rule'),
        decision: fields.oneOf('decision', ['failed', 'allow', 'deny']),
      }
      this.fault ??= fields.fault
      return verdict
    })
  }

  kubernetes(): RecordedKubernetes | undefined {
    const fields = this.#within('kubernetes')
    if (fields === undefined) return undefined
    const texts = KUBERNETES_TEXTS.flatMap((key) => {
      const text = fields.textOrNone(key)
      return text === undefined ? [] : [[key, text] as const]
    })
    const whom = fields.#within('impersonation')
    const uid = whom?.textOrNone('uid')
    const impersonation = whom && {
      user: whom.text('user'),
      ...(uid === undefined ? {} : { uid }),
      groups: whom.#members['groups'] === undefined ? [] : whom.texts('groups'),
      extra: whom.#members['extra'] === undefined ? [] : whom.texts('extra'),
    }
    const verb = fields.text('verb')
    this.fault ??= fields.fault ?? whom?.fault
    return { verb, ...Object.fromEntries(texts), ...(impersonation && { impersonation }) }
  }

  #within(key: string): EventFields | undefined {
    const value = this.#members[key]
    if (value === undefined) return undefined
    if (!isJsonObject(value)) return this.#wrong(key)
    return new EventFields(value, `${this.#prefix}${key}.`)
  }

  #wrong(key: string): undefined {
    this.fault ??= `${this.#prefix}${key}`
  }
}

const KUBERNETES_TEXTS = [
  'apiGroup',
  'apiVersion',
  'namespace',
  'resource',
  'subresource',
  'name',
] as const satisfies readonly (keyof RecordedKubernetes)[]

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

const isReason = (text: string): text is Reason =>
  text === 'permitted' || Object.hasOwn(PUBLIC_ANSWERS, text)
