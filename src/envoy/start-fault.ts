// Why Envoy did not start, from what it logged, in words of the configuration.

// [time][thread][critical][main] [source/server/server.cc:449] error `TEXT` initializing config 'FILE'
const FAULT = /\[critical\].*?error `([^]*?)` initializing config/
const LONGEST = 300

interface Known {
  readonly pattern: RegExp
  /** Called with the groups of the pattern. */
  readonly text: (first: string, second: string) => string
}

const KNOWN: readonly Known[] = [
  {
    pattern: /private key from (\S+), Cause: .*KEY_VALUES_MISMATCH/,
    text: (key) => `${key} is not the key of its certificate`,
  },
  {
    pattern: /private key from (\S+?),? Cause: /,
    text: (key) => `${key} contains no private key that Envoy can read`,
  },
  {
    pattern: /incomplete certificate from (\S+): certificate chain not set/,
    text: (certificate) => `${certificate} is missing, empty or not readable by this user`,
  },
  {
    pattern: /Failed to load certificate chain from (\S+)/,
    text: (certificate) => `${certificate} contains no certificate in PEM that Envoy can read`,
  },
  {
    pattern: /Failed to load trusted CA certificates from (\S+)/,
    text: (ca) => `${ca} contains no certificate of a CA in PEM`,
  },
  {
    pattern: /Invalid path: (\S+)/,
    text: (path) => `${path} does not exist or is not readable by this user`,
  },
  {
    pattern: /unable to open file '([^']+)': (.*)/i,
    text: (path, reason) => `${path} cannot be opened: ${reason.toLowerCase()}`,
  },
  {
    pattern: /cannot bind '([^']+)': (.*)/,
    text: (address, reason) => `cannot listen on ${address}: ${reason.toLowerCase()}`,
  },
  {
    pattern: /could not find @type '([^']+)'/,
    text: (type) =>
      `this build lacks the extension ${type}. Use an Envoy with all its extensions, of the needed version`,
  },
]

/** The reason for which Envoy did not start; `undefined` where its log has none. */
export const startFault = (log: string): string | undefined => {
  const text = FAULT.exec(log)?.[1]
  if (text === undefined) return undefined
  for (const { pattern, text: describe } of KNOWN) {
    const found = pattern.exec(text)
    if (found !== null) return describe(found[1] ?? '', found[2] ?? '')
  }
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line
}
