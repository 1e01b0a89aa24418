// Addresses that a page may contain. One that runs code, or leads elsewhere than it looks, cannot be
// made here.

/** An address that is safe to follow, in ASCII. */
class SafeUrl {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The address itself. */
  get text(): string {
    return this.#text
  }
}
export type { SafeUrl }

/** Whether something is a {@link SafeUrl}. */
export const isSafeUrl = (value: unknown): value is SafeUrl => value instanceof SafeUrl

// Browsers take "\" for "/" (WHATWG URL, "relative slash state"), and drop tabs and line ends.
const PATH = /^\/(?:[\x21-\x5b\x5d-\x7e]*)$/

const LOCAL = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

// What a name or an address has once it is in ASCII. WHATWG URL also lets ";" and "," be part of one.
const HOST = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])$/

const LONGEST = 8_192

/**
 * The address, where it may be followed: `https:`, `http:` on this machine, or a path on the same host.
 * `undefined` otherwise.
 */
export const safeUrl = (text: string): SafeUrl | undefined => {
  if (text.length > LONGEST) return undefined
  if (text.startsWith('/')) {
    return PATH.test(text) && !text.startsWith('//') ? new SafeUrl(text) : undefined
  }
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '') return undefined
  if (!HOST.test(url.hostname)) return undefined
  const known = url.protocol === 'https:' || (url.protocol === 'http:' && LOCAL.test(url.hostname))
  return known ? new SafeUrl(url.href) : undefined
}

/** The same, and `mailto:` too: for links that an operator chose. */
export const contactUrl = (text: string): SafeUrl | undefined => {
  const url = text.length > LONGEST ? null : URL.parse(text)
  return url?.protocol === 'mailto:' ? new SafeUrl(url.href) : safeUrl(text)
}

/**
 * A path of the same host.
 *
 * @throws TypeError when it is not a path on the same host, which is a bug
 */
export const ownPath = (text: string): SafeUrl => {
  const url = text.startsWith('/') ? safeUrl(text) : undefined
  if (url === undefined) throw new TypeError(`not a path: ${JSON.stringify(text.slice(0, 60))}`)
  return url
}

/** An image within the page itself. As one, an SVG runs no scripts and loads nothing. */
export const imageUrl = (type: 'image/png' | 'image/svg+xml', bytes: Uint8Array): SafeUrl =>
  new SafeUrl(`data:${type};base64,${Buffer.from(bytes).toString('base64')}`)
