// What the scenarios of forwarded headers have in common: a route for each kind of header, and what of
// a request the upstream received.

import type { Answer } from '../../servers/client.ts'
import { HOST, receivedBy } from '../site.ts'

/** A route that takes its name for its path. */
export const routeOf = (
  name: string,
  forward: object,
  more: object = {},
): Readonly<Record<string, unknown>> => ({
  name,
  match: { hosts: [HOST], paths: [`/${name}`] },
  forward,
  ...more,
})

/** Every line that the upstream received, its octets read as UTF-8. */
export const linesIn = (answer: Answer): readonly (readonly [name: string, value: string])[] =>
  receivedBy(answer).map(([name, value]) => [name, Buffer.from(value, 'latin1').toString()])

/** Those whose names match, sorted by name. */
export const linesNamed = (answer: Answer, pattern: RegExp) =>
  linesIn(answer)
    .filter(([name]) => pattern.test(name))
    .toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)))

/** All values of a header. */
export const valuesNamed = (answer: Answer, header: string): readonly string[] =>
  linesIn(answer).flatMap(([name, value]) => (name === header ? [value] : []))
