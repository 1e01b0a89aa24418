// What Envoy removes: header names, and those that CGI and PHP take for them.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { ENVOYS_OWN_LIMIT, removalsOf, type HeaderNames } from '../../src/envoy/removals.ts'
import { EXPRESSION_LIMIT, layeredRuntime } from '../../src/envoy/runtime.ts'
import { canonicalName } from '../../src/request/canonical-name.ts'
import { skipWithoutEnvoy, validateBootstrap } from '../servers/envoy.ts'
import { OLDER_ENVOYS, skipWithoutOlderEnvoy } from '../servers/older-envoys.ts'

const removalSchema = z.union([
  z.object({ remove: z.string() }),
  z.object({
    remove_on_match: z.object({
      key_matcher: z.object({ safe_regex: z.object({ regex: z.string() }) }),
    }),
  }),
])

const expressionsOf = (
  removed: HeaderNames,
  kept: HeaderNames,
  limit?: number,
): readonly string[] =>
  removalsOf(removed, kept, limit).map((mutation) => {
    const removal = removalSchema.parse(mutation)
    return 'remove' in removal
      ? removal.remove
      : removal.remove_on_match.key_matcher.safe_regex.regex
  })

const REMOVED: HeaderNames = {
  names: ['client-cert', 'client-cert-chain', 'x-app.user', 'dpop'],
  prefixes: ['x-remote-', 'x-cert-'],
}
const KEPT: HeaderNames = { names: ['x-real-ip', 'forwarded'], prefixes: ['x-forwarded-'] }

// RFC 9110 §5.6.2, without letters and digits.
const SYMBOLS = "!#$%&'*+-.^_`|~".split('')

for (const limit of [ENVOYS_OWN_LIMIT, EXPRESSION_LIMIT]) {
  describe(`the removals of headers by expressions of at most ${limit} instructions`, () => {
    const expressions = expressionsOf(REMOVED, KEPT, limit).map(
      (regex) => new RegExp(`^(?:${regex})$`),
    )
    const matches = (name: string): boolean =>
      expressions.some((expression) => expression.test(name))

    /** All names of these words with any symbols between them. */
    const spellings = ([first = '', ...rest]: readonly string[]): readonly string[] =>
      rest.reduce<readonly string[]>(
        (starts, word) => starts.flatMap((start) => SYMBOLS.map((symbol) => start + symbol + word)),
        [first],
      )

    const isWanted = (name: string): boolean => {
      const canonical = canonicalName(name)
      if (REMOVED.prefixes.some((prefix) => canonical.startsWith(prefix))) return true
      if (REMOVED.names.some((one) => canonicalName(one) === canonical)) return true
      if (KEPT.names.includes(canonical)) return canonical !== name
      const [prefix = ''] = KEPT.prefixes
      return canonical.startsWith(prefix) && !name.startsWith(prefix)
    }

    const NAMES = [
      ['x', 'remote', 'user'],
      ['x', 'remote', 'extra', 'a'],
      ['x', 'cert', ''],
      ['client', 'cert'],
      ['client', 'cert', 'chain'],
      ['x', 'app', 'user'],
      ['x', 'real', 'ip'],
      ['x', 'forwarded', 'for'],
      ['x', 'my', 'header'],
      ['x', 'remotes', 'user'],
      ['ax', 'remote', 'user'],
      ['client', 'certs'],
      ['dpop'],
      ['forwarded'],
    ]
    for (const words of NAMES) {
      it(`match what canonicalName folds to ${words.join('-')}, and nothing else`, () => {
        for (const name of spellings(words)) assert.equal(matches(name), isWanted(name), name)
      })
    }

    it('do not match letters and digits in the place of a separator', () => {
      for (const letter of 'az09') {
        assert.ok(!matches(`x${letter}remote-user`))
        assert.ok(!matches(`x-real${letter}ip`))
        assert.ok(!matches(`client${letter}cert`))
      }
    })
  })
}

it('several names and beginnings are one expression where Envoy accepts larger ones', () => {
  const names = { names: ['client-cert', 'x-app.user'], prefixes: ['x-remote-', 'x-cert-'] }
  assert.equal(expressionsOf(names, KEPT, EXPRESSION_LIMIT).length, 1)
  assert.ok(expressionsOf(names, KEPT).length > 1)
})

describe('the removals of many and of long names', { skip: skipWithoutEnvoy() }, () => {
  const bootstrapWith = (mutations: readonly unknown[], others: object = {}): string =>
    stringify({
      ...parse(BOOTSTRAP),
      ...others,
      static_resources: {
        listeners: [
          {
            name: 'edge',
            address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
            filter_chains: [{ filters: [manager(mutations)] }],
          },
        ],
      },
    })

  const LONG = `x-${'very-'.repeat(30)}long`

  const names = Array.from({ length: 60 }, (_, index) => `x-app-header-${'n'.repeat(index)}-user`)
  const prefixes = Array.from({ length: 20 }, (_, index) => `x-${'p'.repeat(index + 1)}-`)
  const bootstrap = (): string =>
    bootstrapWith(removalsOf({ names: [...names, LONG], prefixes }, KEPT))

  const larger = (others: object): string => {
    const removed = { names: [...names, LONG], prefixes }
    return bootstrapWith(removalsOf(removed, KEPT, EXPRESSION_LIMIT), others)
  }

  it('are not too large for Envoy', async () => {
    await validateBootstrap(bootstrap())
    await validateBootstrap(larger({ layered_runtime: layeredRuntime }))
  })

  it('are too large for Envoy without the limit of the generated bootstrap', async () => {
    await assert.rejects(validateBootstrap(larger({})), /larger|program size/i)
  })

  for (const older of OLDER_ENVOYS) {
    const skip = skipWithoutOlderEnvoy(older)
    it(`are not too large for Envoy ${older.version}`, { skip }, async () => {
      await validateBootstrap(bootstrap(), older.program)
      await validateBootstrap(larger({ layered_runtime: layeredRuntime }), older.program)
    })
  }

  it('match a long name by its beginning', () => {
    const [regex = ''] = expressionsOf({ names: [LONG], prefixes: [] }, { names: [], prefixes: [] })
    const expression = new RegExp(`^(?:${regex})$`)
    assert.ok(expression.test(LONG.replaceAll('-', '.')))
    assert.ok(expression.test(LONG))
    assert.ok(!expression.test('x-very-long'))
  })
})

const BOOTSTRAP = 'admin: { address: { pipe: { path: admin.sock } } }'

const manager = (mutations: readonly unknown[]): object => ({
  name: 'envoy.filters.network.http_connection_manager',
  typed_config: {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'edge',
    early_header_mutation_extensions: [
      {
        name: 'envoy.http.early_header_mutation.header_mutation',
        typed_config: {
          '@type':
            'type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
          mutations,
        },
      },
    ],
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [] }] },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
        },
      },
    ],
  },
})
