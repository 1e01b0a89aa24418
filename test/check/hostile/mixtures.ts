// Random mixtures of what costs something by itself, as large as a request may be.

import type { RequestParts } from '../../fakes/envoy.ts'
import { LARGEST } from './requests.ts'

const TARGETS = ['/x?', '/x?api_key=x&', '/public/', '/public/x?', '/api/v1/', '/v1.53/', '/app/']
const IN_TARGETS = [
  '&',
  ';',
  '?',
  '=',
  '/',
  'a',
  'A',
  '.',
  '%',
  '%25',
  '%2561',
  '%00',
  '%20',
  '%3b',
  '%C3%BC',
  '%C4%B0',
  '%CC%80%CC%B4',
  '%EF%B7%BA',
  'api_ke',
  'api%5fkey',
  'area-1',
  'secrets/',
  ';a/',
]
const NAMES = [
  'accept-language',
  'authorization',
  'connection',
  'cookie',
  'impersonate-group',
  'referer',
  'sec-websocket-protocol',
  'te',
  'upgrade',
  'x-api-key',
  'X.Api.Key',
  'x-forwarded-client-cert',
  'X.Remote.User',
]
const IN_VALUES = [
  ',',
  ';',
  '=',
  ' ',
  '"',
  '\\',
  'a',
  'é',
  'By=',
  'Chain="',
  'Basic ',
  'Bearer ',
  'YTph',
  'eyJhbGciOiJFUzI1NiJ9.',
  '__Host-countersign=',
  'base64url.bearer.authorization.k8s.io.',
  'websocket',
  'text/html',
  '&api_key=',
  '%',
]

/** A request of pieces that are picked at random; `random(n)` gives a whole number below n. */
export const mixture = (random: (below: number) => number): RequestParts => {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? ''
  /** Some of them over and over, or in any order. */
  const text = (list: readonly string[], size: number): string => {
    const some = Array.from({ length: 1 + random(4) }, () => pick(list))
    const piece = random(2) === 0 ? some.join('') : undefined
    let made = ''
    while (made.length < size) made += piece ?? pick(some)
    return made.slice(0, size)
  }
  const target = pick(TARGETS)
  const count = [0, 1, 2, 20, LARGEST.lines][random(5)] ?? 0
  const each = Math.floor(LARGEST.headers / Math.max(count, 1)) - 32
  return {
    path: target + text(IN_TARGETS, LARGEST.target - target.length),
    method: pick(['GET', 'POST', 'DELETE']),
    headers: Array.from({ length: count }, () => [pick(NAMES), text(IN_VALUES, each)] as const),
  }
}
