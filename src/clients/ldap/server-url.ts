// The URLs of directory servers.

/** Where a server is. */
export interface ServerAddress {
  /** As in the configuration, for messages. */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly ldaps: boolean
}

const PORT = 389
const TLS_PORT = 636

/** Reads a URL; `undefined` when it is not that of a server. */
export const readServerUrl = (url: string): ServerAddress | undefined => {
  const parsed = URL.parse(url)
  if (parsed === null || !/^ldaps?:\/\/[^/?#@]+\/?$/.test(url) || parsed.hostname === '') {
    return undefined
  }
  const ldaps = parsed.protocol === 'ldaps:'
  return {
    url,
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: parsed.port === '' ? (ldaps ? TLS_PORT : PORT) : Number(parsed.port),
    ldaps,
  }
}
