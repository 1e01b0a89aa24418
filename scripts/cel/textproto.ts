// The text format of protocol buffers (protobuf.dev, "Text Format Language"), as far as the conformance
// tests of CEL use it. Every field is a list: the text does not say which are repeated.

/** A message: the values of each field, in order. An extension's or Any's name is in brackets. */
export interface Message {
  readonly [field: string]: readonly (Message | Scalar)[]
}

/** A string is the bytes of the text, of a string or bytes field; the rest is as written. */
export type Scalar = Buffer | { readonly word: string }

const TOKEN =
  /\s+|#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|\[[^\]]*\]|[-+.\w]+|[{}<>:;,[\]]/gy

/**
 * Reads a message.
 *
 * @throws SyntaxError
 */
export const parseTextproto = (text: string): Message => {
  const tokens = tokensOf(text)
  const state = { tokens, at: 0 }
  const message = readMessage(state)
  if (state.at < tokens.length) throw new SyntaxError(`unexpected ${tokens[state.at]}`)
  return message
}

interface State {
  readonly tokens: readonly string[]
  at: number
}

const tokensOf = (text: string): readonly string[] => {
  const tokens: string[] = []
  let end = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (index !== end) break
    end = index + token.length
    if (!/^[\s#]/.test(token)) tokens.push(token)
  }
  if (end !== text.length) throw new SyntaxError(`unexpected ${text.slice(end, end + 20)}`)
  return tokens
}

const readMessage = (state: State): Message => {
  const fields: Record<string, (Message | Scalar)[]> = {}
  for (;;) {
    const name = state.tokens[state.at]
    if (name === undefined || name === '}' || name === '>') return fields
    state.at += 1
    if (name === ',' || name === ';') continue
    if (state.tokens[state.at] === ':') state.at += 1
    fields[name] = [...(fields[name] ?? []), readValue(state)]
  }
}

const readValue = (state: State): Message | Scalar => {
  const token = state.tokens[state.at] ?? ''
  state.at += 1
  if (token === '{' || token === '<') {
    const message = readMessage(state)
    state.at += 1
    return message
  }
  if (!/^["']/.test(token)) return { word: token }
  const parts = [unquote(token)]
  while (/^["']/.test(state.tokens[state.at] ?? '')) {
    parts.push(unquote(state.tokens[state.at] ?? ''))
    state.at += 1
  }
  return Buffer.concat(parts)
}

const ESCAPE =
  /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|[^\\]+/gs
const NAMED: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const unquote = (token: string): Buffer =>
  Buffer.concat(
    [...token.slice(1, -1).matchAll(ESCAPE)].map(([text, octal, hex, short, long, other]) => {
      if (octal !== undefined) return Buffer.from([Number.parseInt(octal, 8)])
      if (hex !== undefined) return Buffer.from([Number.parseInt(hex, 16)])
      const point = short ?? long
      if (point !== undefined) return Buffer.from(String.fromCodePoint(Number.parseInt(point, 16)))
      return Buffer.from(other === undefined ? text : (NAMED[other] ?? other))
    }),
  )
