// Request lines for a Kubernetes API server that mix real paths and queries with all that could make
// two readers differ.

import type { RequestLine } from '../../servers/request-info.ts'
import { ORDINARY } from './lines.ts'

/** A die: an integer from 0 up to, and without, its argument. */
type Dice = (below: number) => number

const list = (...lines: readonly string[]): readonly string[] =>
  lines.flatMap((line) => line.split('|'))

const METHODS = list('GET|GET|GET|GET|GET|HEAD|POST|PUT|PATCH|DELETE|DELETE')
const ODD_METHODS = list('OPTIONS|CONNECT|TRACE|LIST|WATCH|PROPFIND|get|M-SEARCH|X')

const ROOTS = list('/api/v1|/api/v1|/apis/apps/v1|/apis/cert-manager.io/v1|/apis/batch/v1')
const ODD_ROOTS = list(
  '/API/v1|/Apis/apps/v1|/apis/apps|/apis|/api|/ap%69/v1|/apis/v1|/api/V1|/apis/Apps/v1',
  '/openapi/v3|/version|/api;x/v1|/ap%C4%B1/v1|/api%C5%BF/apps/v1|/apis//v1|//api/v1|/api/v1/',
  '/api/v1/api/v1|/x/api/v1|/./api/v1|/healthz',
)
const VERBS = list('watch|proxy|watch/watch|Watch|w%61tch|proxy/proxy|watch/')
const RESOURCES = list('pods|secrets|configmaps|nodes|deployments|namespaces|services')
const ODD_RESOURCES = list(
  'Secrets|%73ecrets|sec%72ets|secrets;v=1|secrets%20|secrets%00|secret%C5%BF|*|%2A|-|%2e%2e',
  '..|.||watch|proxy|get|status|finalize|pods.|se%63rets%2Fx|secrets%3F|secrets%23|s%25|list',
  'create|_|a:b|a,b|a=b',
)
const NAMESPACES = list('default|kube-system|status|finalize')
const ODD_NAMESPACES = list('namespaces|X|%78|watch|')
const NAMES = list('x|web-0|system:node|https:name:443|A|%2A|a%20b|status|a%3Bb|~')
const SUBRESOURCES = list('status|exec|log|proxy/a/b|proxy|scale|token|finalize')
const ODD_SUBRESOURCES = list('Exec|ex%65c|proxy//a|proxy/../..||/|status/|a/b/c/D')
const TAILS = list('/|//|/.|/..|/%2e|/..;/|%2F|%5c|\\|;a=b|%|%zz|#a|?')
const SPLINTERS = list('/|%|%2|.|;|&|=|?|+|\\|,|%20|%2f|!|A|%61')

const FIELD_SELECTORS = list(
  'metadata.name=x|metadata.name==x|metadata.name!=x|metadata.name=|metadata.name',
  'spec.nodeName=y,status.phase!=Failed|a=b,metadata.name=x|metadata.name=x,a=b|=|!=',
  'metadata.name=x,metadata.name=y|metadata.name=x,metadata.name=x|metadata.name=..|,,',
  'metadata.name=a/b|metadata.name=a%25b|metadata.name=a\\,b|metadata.name=a\\=b|\\',
  'metadata.name=a\\\\b|metadata.name=a\\b|metadata.name=x\\|metadata.name=a=b|a\\,b=c',
  'metadata.name=x,|,metadata.name=x|metadata.name=x,y| metadata.name=x|metadata.name =x',
  'Metadata.name=x|metadata.namespace=x|metadata.name===x|metadata.name!==x|=x|a!b=c',
  'metadata.name=ü|metadata.name=x\n|metadata.name=😀|metadata\\.name=x|metadata.name=.',
  'metadata.name=x,a!==b|metadata.name=x,a===b',
  'metadata.name!=x,metadata.name=y|a\\=metadata.name=x|b\\,metadata.name=x| |x!',
)
const LABEL_SELECTORS = list(
  'a=b|a in (b,c)|a notin (b)|!a|a|a=b,c|a==b|a!=b|a=|a,b=|| |a,|in|in in (in)|a=in|notin',
  'a in|a in ()|a in (,)|a in (b,)|a in(b)|,a|x.io/a=b|X.io/a=b|/a=b|a/b/c|x..y/a|-a|a-|a=-b',
  'a=b c|! a|!!a|!a=b|a > 1|a<x|a=ü|a (b)|a in (b|a in b)| a = b , c |a\u00a0|\u00a0a=b|a=!b',
  'a===b|a in (b),c in (d)|a in (b)c|)|(|a\t=b|a=b,!c,d in (e,f),g|a=b,a=c|!|x-.io/a|-x/a',
  'x.-y/a|x/-a|a_b.c/d|a_b|a.b|_a|a."|in=|a=notin,in',
)
const LONG_LABEL_SELECTORS = [
  'a'.repeat(63),
  'a'.repeat(64),
  `a=${'b'.repeat(64)}`,
  `${'a'.repeat(253)}/b`,
  `${'a'.repeat(254)}/b`,
]
const FIELD_TOKENS = list('metadata.name|metadata.name|=|=|==|!=|!|x|y|,|,|\\|/|..|%| ')
const LABEL_TOKENS = list('a|b|c-d|x/|1|-|=|==|!=|!| | | |in|notin|in (|)|(|)|,|,|,|<')
const BOOLEANS = list('|0|1|true|false|FALSE|False|f|no|00| |falſe|false |%')
const INTEGERS = list(
  '0|1|500|-1|+5||x|1.5|1_000|0x10| 1|1e3|007|--1|١|-|9223372036854775807|9223372036854775808',
  '-9223372036854775808|-9223372036854775809|00000000000000000000000000001',
  '99999999999999999999999999999',
)
const ODD_PARAMETERS = list(
  'watch|watch&watch=0|;watch=1|watch;=1|a=b;watch=1|watch=%zz|%77atch=1|watch=%|Watch=1',
  'watch[]=1|watch%00=1|+watch=1|w+atch=1|=watch|&&|=|&=&|watch=1=0|watch=%00|x=%ff|%ff=1',
  'watch=%C5%BF|x=%ED%A0%80|#|?watch=1|watch=1?|watch%3D1|limit=1&limit=x|timeoutSeconds=x',
  'fieldSelector|labelSelector|fieldselector=a=b|%zz|fieldSelector=a&fieldSelector=a',
  'watch=1;|watch;|fieldSelector=a;b|labelSelector=a;|fieldSelector=metadata.name=x;limit=x',
  'labelSelector=a&labelSelector=b|resourceVersion=0|x=%0a',
)
const LONG_PARAMETERS = [
  `${'a&'.repeat(600)}watch=1`,
  `${'a&'.repeat(1200)}watch=1`,
  `${'a&'.repeat(10_500)}watch=1`,
  `a=${'b'.repeat(5000)}`,
]

const one = (roll: Dice, from: readonly string[]): string => from[roll(from.length)] ?? ''

/** Of the first kind, and one time in eight of the second. */
const mostly = (roll: Dice, often: readonly string[], odd: readonly string[]): string =>
  one(roll, roll(8) === 0 ? odd : often)

const several = (roll: Dice, tokens: readonly string[]): string =>
  Array.from({ length: 1 + roll(9) }, () => one(roll, tokens)).join('')

const encode = (roll: Dice, text: string): string => {
  switch (roll(4)) {
    case 0:
      return encodeURIComponent(text)
    case 1:
      return encodeURIComponent(text).replaceAll('%20', '+')
    case 2:
      return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
    default:
      // Unchanged, except for what no request line can hold.
      return text.replaceAll(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character))
  }
}

const fieldSelector = (roll: Dice): string =>
  roll(3) === 0 ? several(roll, FIELD_TOKENS) : one(roll, FIELD_SELECTORS)

const labelSelector = (roll: Dice): string =>
  roll(2) === 0
    ? several(roll, LABEL_TOKENS)
    : one(roll, roll(12) === 0 ? LONG_LABEL_SELECTORS : LABEL_SELECTORS)

const parameter = (roll: Dice): string => {
  switch (roll(8)) {
    case 0:
    case 1:
      return `watch=${encode(roll, one(roll, BOOLEANS))}`
    case 2:
    case 3:
      return `fieldSelector=${encode(roll, fieldSelector(roll))}`
    case 4:
      return `labelSelector=${encode(roll, labelSelector(roll))}`
    case 5:
      return `${one(roll, ['limit', 'timeoutSeconds'])}=${encode(roll, one(roll, INTEGERS))}`
    case 6:
      return one(roll, ['resourceVersion=0', 'allowWatchBookmarks=true', 'pretty', 'continue=a%3D'])
    default:
      return one(roll, roll(20) === 0 ? LONG_PARAMETERS : ODD_PARAMETERS)
  }
}

const queryFor = (roll: Dice): string => {
  // Whether the name counts depends on all other parts.
  if (roll(6) === 0)
    return `fieldSelector=metadata.name=x&labelSelector=${encode(roll, labelSelector(roll))}`
  return Array.from({ length: roll(4) }, () => parameter(roll)).join('&')
}

const pathFor = (roll: Dice): string => {
  const segments = [mostly(roll, ROOTS, ODD_ROOTS)]
  if (roll(8) === 0) segments.push(one(roll, VERBS))
  if (roll(2) === 0) segments.push('namespaces', mostly(roll, NAMESPACES, ODD_NAMESPACES))
  if (roll(12) > 0) segments.push(mostly(roll, RESOURCES, ODD_RESOURCES))
  if (roll(2) === 0) segments.push(one(roll, NAMES))
  if (roll(4) === 0) segments.push(mostly(roll, SUBRESOURCES, ODD_SUBRESOURCES))
  return segments.join('/') + (roll(8) === 0 ? one(roll, TAILS) : '')
}

/** One place changed: a character removed, doubled, encoded, in the other case, or something put in. */
const mutate = (roll: Dice, text: string): string => {
  const at = 1 + roll(Math.max(text.length - 1, 1))
  const character = text[at] ?? '/'
  const other = /[a-z]/.test(character) ? character.toUpperCase() : character.toLowerCase()
  const encoded = `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  const changed = ['', character + character, encoded, other, one(roll, SPLINTERS) + character]
  return text.slice(0, at) + one(roll, changed) + text.slice(at + 1)
}

/** Generated lines, the same for the same dice. */
export const hostileLines = (roll: Dice, count: number): readonly RequestLine[] =>
  Array.from({ length: count }, () => {
    const ordinary = roll(20) === 0 ? ORDINARY[roll(ORDINARY.length)] : undefined
    if (ordinary !== undefined) return { ...ordinary, target: mutate(roll, ordinary.target) }
    const query = queryFor(roll)
    const target = pathFor(roll) + (query === '' ? '' : `?${query}`)
    const method = roll(25) === 0 ? one(roll, ODD_METHODS) : one(roll, METHODS)
    return { method, target: roll(6) === 0 ? mutate(roll, target) : target }
  })
