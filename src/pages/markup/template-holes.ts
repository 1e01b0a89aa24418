// What each hole of an HTML template takes, worked out once from the literal text around it.
// What this small reader does not understand is refused: a template is part of this program, so that is a bug.

/** What a hole takes. */
export type Hole =
  | { readonly kind: 'text' }
  /** Between the quotes of an attribute. */
  | { readonly kind: 'value' }
  /** The whole value of an attribute that browsers take for an address. */
  | { readonly kind: 'url' }
  /** Among the attributes of a tag. */
  | { readonly kind: 'attributes' }

/** Attributes that browsers follow or load (HTML, "Attributes": those with a valid URL). */
const URL_ATTRIBUTES: ReadonlySet<string> = new Set([
  'action',
  'background',
  'cite',
  'data',
  'formaction',
  'href',
  'manifest',
  'ping',
  'poster',
  'src',
  'srcset',
  'xlink:href',
])

/** Whether an attribute is an address, which only a `SafeUrl` can be. */
export const isUrlAttribute = (name: string): boolean => URL_ATTRIBUTES.has(name)

/** Whether an attribute may be written at all: none that is code, and no style (the policy forbids it). */
export const isAllowedAttribute = (name: string): boolean =>
  /^[a-z][a-z0-9:-]*$/.test(name) && !/^on|^style$|^srcdoc$/.test(name)

// Their content is not HTML, so escaping is of no use there.
const FORBIDDEN_ELEMENTS = /^(script|style|textarea|iframe|object|embed|noscript|template|base)$/

// What an address or an instruction could be hidden in, in addition to the attributes for it.
const CONSTANT_ATTRIBUTES: ReadonlySet<string> = new Set(['content', 'http-equiv', 'rel', 'target'])

type State =
  | { readonly at: 'text' }
  | { readonly at: 'tag'; readonly spaced: boolean }
  | { readonly at: 'value'; readonly name: string; readonly begun: boolean }

// One step of the reader in each state. Sticky, so that each begins where the last one ended.
const IN_TEXT = /[^<]+|<!doctype html>|<\/[a-z][a-z0-9]*\s*>|<([a-z][a-z0-9]*)(?=[\s>])/y
const IN_TAG = /\s+|\/?>|([a-z][a-z0-9:-]*)(?:(=")|(?=[\s>]))/y
const IN_VALUE = /[^"]+|"/y

/**
 * The holes between the literal parts of a template.
 *
 * @throws TypeError for a hole where no value can be made safe, and for markup that is not understood
 */
export const holesOf = (parts: readonly string[]): readonly Hole[] => {
  const holes: Hole[] = []
  let state: State = { at: 'text' }
  for (const [index, part] of parts.entries()) {
    state = readPart(part, state)
    if (index === parts.length - 1) continue
    const hole = holeIn(state, parts[index + 1] ?? '')
    if (hole === undefined) throw new TypeError(`no value can follow ${inQuotes(part)}`)
    holes.push(hole)
    if (state.at === 'value') state = { ...state, begun: true }
    if (state.at === 'tag') state = { at: 'tag', spaced: false }
  }
  if (state.at !== 'text')
    throw new TypeError(`a tag does not end: ${inQuotes(parts.at(-1) ?? '')}`)
  return holes
}

const inQuotes = (part: string): string => JSON.stringify(part.slice(-60))

const readPart = (part: string, start: State): State => {
  let state = start
  for (let position = 0; position < part.length;) {
    const pattern = state.at === 'text' ? IN_TEXT : state.at === 'tag' ? IN_TAG : IN_VALUE
    pattern.lastIndex = position
    const step = pattern.exec(part)
    if (step === null) throw new TypeError(`not understood: ${inQuotes(part.slice(position))}`)
    state = stateAfter(state, step)
    position = pattern.lastIndex
  }
  return state
}

const stateAfter = (state: State, [whole, name, equals]: RegExpExecArray): State => {
  switch (state.at) {
    case 'text':
      if (name === undefined) return state
      if (FORBIDDEN_ELEMENTS.test(name))
        throw new TypeError(`<${name}> is not allowed in a template`)
      return { at: 'tag', spaced: false }
    case 'tag':
      if (whole.endsWith('>')) return { at: 'text' }
      if (name === undefined) return { at: 'tag', spaced: true }
      if (!state.spaced || !isAllowedAttribute(name)) throw new TypeError(`the attribute ${name}`)
      return equals === undefined
        ? { at: 'tag', spaced: false }
        : { at: 'value', name, begun: false }
    case 'value':
      return whole === '"' ? { at: 'tag', spaced: false } : { ...state, begun: true }
  }
}

const holeIn = (state: State, next: string): Hole | undefined => {
  switch (state.at) {
    case 'text':
      return { kind: 'text' }
    case 'tag':
      return state.spaced ? { kind: 'attributes' } : undefined
    case 'value': {
      const { name, begun } = state
      if (CONSTANT_ATTRIBUTES.has(name)) return undefined
      if (!isUrlAttribute(name)) return { kind: 'value' }
      return !begun && next.startsWith('"') ? { kind: 'url' } : undefined
    }
  }
}
