// What the rules of a route must not say together: names that are taken, or that nothing has.

import { describe } from 'node:test'
import { checkAll, type Sections } from '../sections.ts'

/** One route with these rules. */
const rules = (text: string): Sections => ({
  routes: `routes: [{ name: app, authenticate: [{ all: [staff, guests] }, staff], authorize: [${text}] }]`,
})

const at = (path: string, message: string): RegExp =>
  new RegExp(String.raw`^routes\[0\]\.authorize\[0\]${path}: ${message}`)

describe('the rules of a route', () => {
  const IN_SHADOW =
    /^routes\[0\]\.authorize: every rule is in shadow, so none decides and every request would be refused$/
  checkAll([
    {
      name: 'have names of their own, also across allow and deny',
      input: rules('{ allow: a }, { deny: a }, { allow: b }'),
      want: [/^routes\[0\]\.authorize\[1\]\.deny: "a" is also the name of an earlier rule/],
    },
    {
      name: 'have names of their own, also across lists and in shadow',
      input: rules(
        '{ allow: a }, { list: l, rules: [{ deny: a }] }, { list: m, shadow: true, rules: [{ allow: b }, { allow: b }] }',
      ),
      want: [
        /^routes\[0\]\.authorize\[1\]\.rules\[0\]\.deny: "a" is also the name of an earlier rule/,
        /^routes\[0\]\.authorize\[2\]\.rules\[1\]\.allow: "b" is also the name of an earlier rule/,
      ],
    },
    {
      name: 'are in lists with names of their own, or one in shadow would silence the other',
      input: rules(
        '{ list: l, shadow: true, rules: [{ allow: a }] }, { list: l, shadow: true, rules: [{ allow: b }] }, { allow: l }',
      ),
      want: [/^routes\[0\]\.authorize\[1\]\.list: "l" names an earlier list of this route too$/],
    },
    {
      name: 'name authenticators that authenticate callers of the route',
      input: rules('{ allow: a, authenticators: [staff] }'),
      want: [],
    },
    {
      name: 'name no authenticator that the route does not have, or that only adds to another',
      input: rules('{ allow: a, authenticators: [nobody, guests, constructor] }'),
      want: ['nobody', 'guests', 'constructor'].map((name, index) =>
        at(
          String.raw`\.authenticators\[${index}\]`,
          String.raw`"${name}" never authenticates callers of this route: .*\(there are: staff\)$`,
        ),
      ),
    },
    {
      name: 'are not all in shadow',
      input: rules('{ allow: a, shadow: true }'),
      want: [IN_SHADOW],
    },
    {
      name: 'are not all in shadow by their lists',
      input: rules(
        '{ list: l, shadow: true, rules: [{ allow: a, shadow: false }] }, { list: m, rules: [{ allow: b, shadow: true }] }',
      ),
      want: [IN_SHADOW],
    },
    {
      name: 'may be in shadow, except for one in a list',
      input: rules('{ allow: a, shadow: true }, { list: m, rules: [{ allow: b }] }'),
      want: [],
    },
  ])
})
