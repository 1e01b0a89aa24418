// What the rules of a route must not say together: names that are taken, or that nothing has.

import { describe } from 'node:test'
import { checkAll, type Sections, inFirstRule } from '../sections.ts'

/** One route with these rules. */
const rules = (text: string): Sections => ({
  routes: `routes: [{ name: app, authenticate: [{ all: [staff, guests] }, staff], authorize: [${text}] }]`,
})

describe('the rules of a route are', () => {
  const IN_SHADOW =
    /^routes\[0\]\.authorize: every rule is in shadow, so none decides and every request would be refused$/
  checkAll([
    {
      name: 'refused with a name twice, across allow and deny',
      input: rules('{ allow: a }, { deny: a }, { allow: b }'),
      want: [/^routes\[0\]\.authorize\[1\]\.deny: "a" is also the name of an earlier rule/],
    },
    {
      name: 'refused with a name twice, across lists and shadow rules',
      input: rules(
        '{ allow: a }, { list: l, rules: [{ deny: a }] }, { list: m, shadow: true, rules: [{ allow: b }, { allow: b }] }',
      ),
      want: [
        /^routes\[0\]\.authorize\[1\]\.rules\[0\]\.deny: "a" is also the name of an earlier rule/,
        /^routes\[0\]\.authorize\[2\]\.rules\[1\]\.allow: "b" is also the name of an earlier rule/,
      ],
    },
    {
      name: 'refused with the name of a list twice',
      input: rules(
        '{ list: l, shadow: true, rules: [{ allow: a }] }, { list: l, shadow: true, rules: [{ allow: b }] }, { allow: l }',
      ),
      want: [/^routes\[0\]\.authorize\[1\]\.list: "l" names an earlier list of this route too$/],
    },
    {
      name: 'accepted with an authenticator that names callers on the route',
      input: rules('{ allow: a, authenticators: [staff] }'),
      want: [],
    },
    {
      name: 'refused with an authenticator that the route lacks, or that only supplements another',
      input: rules('{ allow: a, authenticators: [nobody, guests, constructor] }'),
      want: ['nobody', 'guests', 'constructor'].map((name, index) =>
        inFirstRule(
          String.raw`\.authenticators\[${index}\]`,
          String.raw`"${name}" never authenticates callers of this route: .*\(there are: staff\)$`,
        ),
      ),
    },
    {
      name: 'refused where all are in shadow',
      input: rules('{ allow: a, shadow: true }'),
      want: [IN_SHADOW],
    },
    {
      name: 'refused where all are in shadow by their lists',
      input: rules(
        '{ list: l, shadow: true, rules: [{ allow: a, shadow: false }] }, { list: m, rules: [{ allow: b, shadow: true }] }',
      ),
      want: [IN_SHADOW],
    },
    {
      name: 'accepted where one rule in a list is not in shadow',
      input: rules('{ allow: a, shadow: true }, { list: m, rules: [{ allow: b }] }'),
      want: [],
    },
  ])
})
