// Requests of callers with API keys: the outcomes, and the refusals.

import { hashOf, newApiKey } from '../../../src/authenticate/api-key/key.ts'
import type { Reason } from '../../../src/audit/event.ts'
import type { HeaderLine } from '../../servers/client.ts'
import { ALICE, HOST } from '../site.ts'

/** A key that has ended. */
export const ended = newApiKey('ended')
/** A key that is disabled. */
export const off = newApiKey('off')
/** The file of keys, with both. */
export const KEYS = `# kept by hand
keys:
  ended: { hash: '${hashOf(ended)}', user: carol, expires: 2020-01-01T00:00:00Z }
  off: { hash: '${hashOf(off)}', user: dave, disabled: true }
`

/** A request. */
export interface Question {
  readonly path?: string
  readonly headers?: readonly HeaderLine[]
}

/** The header of a key. */
export const header = (value: string): readonly HeaderLine[] => [['X-Api-Key', value]]

/** Valid keys, and the request that the upstream receives. */
export const PERMITTED: readonly {
  name: string
  question: (key: string) => Question
  url: string
}[] = [
  {
    name: 'in the header',
    question: (value) => ({ path: '/a?z=1&b&a=2&&z=0&c=%20+x', headers: [['x-API-key', value]] }),
    url: '/a?z=1&b&a=2&&z=0&c=%20+x',
  },
  {
    name: 'in the header, under a scheme',
    question: (value) => ({ headers: [['Authorization', `apikey ${value}`]] }),
    url: '/',
  },
  {
    name: 'alone in the query',
    question: (value) => ({ path: `/a?api_key=${value}` }),
    url: '/a',
  },
  {
    name: 'first in the query',
    question: (value) => ({ path: `/a?api_key=${value}&z=1&b&a=2&&z=0&c=%20+x;d` }),
    url: '/a?z=1&b&a=2&&z=0&c=%20+x;d',
  },
  {
    name: 'last in the query',
    question: (value) => ({ path: `/%C3%BC/b?z=1&b&a=2&%zz=%&api_key=${value}` }),
    url: '/%C3%BC/b?z=1&b&a=2&%zz=%',
  },
  {
    name: 'in the query, and in the Referer',
    question: (value) => ({
      path: `/a?b=1&api_key=${value}`,
      headers: [['Referer', `https://${HOST}/page?x=1&api_key=${value}`]],
    }),
    url: '/a?b=1',
  },
]

/** What is refused, and why. */
export const REFUSED: readonly {
  name: string
  question: (key: string) => Question
  reason: Reason
  status?: number
  user?: string
}[] = [
  { name: 'a missing key', question: () => ({}), reason: 'credential-missing' },
  {
    name: 'an unknown key in the header',
    question: () => ({ headers: header(newApiKey('deploy')) }),
    reason: 'api-key-unknown',
  },
  {
    name: 'an unknown key in the query',
    question: () => ({ path: `/?a&api_key=${newApiKey('x')}` }),
    reason: 'api-key-unknown',
  },
  {
    name: 'an expired key',
    question: () => ({ headers: header(ended) }),
    reason: 'api-key-expired',
    user: 'carol',
  },
  {
    name: 'a disabled key',
    question: () => ({ headers: header(off) }),
    reason: 'api-key-unknown',
  },
  {
    name: 'a mistyped key',
    question: (value) => ({ headers: header(value.replace(/.$/, '!')) }),
    reason: 'credential-malformed',
  },
  {
    name: 'an empty header',
    question: () => ({ headers: header('') }),
    reason: 'credential-malformed',
  },
  {
    name: 'an empty parameter',
    question: () => ({ path: '/?api_key=' }),
    reason: 'credential-malformed',
  },
  {
    name: 'a parameter without a value',
    question: () => ({ path: '/?a&api_key' }),
    reason: 'credential-malformed',
  },
  {
    name: 'the header twice',
    question: (value) => ({ headers: [...header(value), ...header(value)] }),
    reason: 'credential-malformed',
  },
  {
    name: 'the parameter twice',
    question: (value) => ({ path: `/?api_key=${value}&api_key=${value}` }),
    reason: 'credential-malformed',
  },
  {
    name: 'a key in both header and parameter',
    question: (value) => ({ path: `/?api_key=${value}`, headers: header(value) }),
    reason: 'credential-conflict',
    status: 400,
  },
  {
    name: 'a key and a password',
    question: (value) => ({ headers: [...header(value), ALICE] }),
    reason: 'credential-conflict',
    status: 400,
  },
  {
    name: 'a password and a parameter',
    question: (value) => ({ path: `/?api_key=${value}`, headers: [ALICE] }),
    reason: 'credential-conflict',
    status: 400,
  },
]

/** Parameters that an upstream could read as `api_key`. */
export const DISGUISES: readonly string[] = [
  '%61pi_key=<key>',
  'api%5Fkey=<key>',
  '%2561pi_key=<key>',
  'API_KEY=<key>',
  'api-key=<key>',
  'api.key=<key>',
  'api_key[]=<key>',
  'api_key%5b%5d=<key>',
  'b=1;api_key=<key>',
  'b=1&amp;api_key=<key>',
  'b=1?api_key=<key>',
  '+api_key=<key>',
  'api_key%00=<key>',
  'api_key=<key>&Api_Key=<key>',
]
