// What routes and their rules must not say.

import { describe } from 'node:test'
import { checkAll, type Sections } from './sections.ts'

/** One route with this in it. */
const route = (text: string): Sections => ({
  routes: `routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }], ${text} }]`,
})

/** One rule. */
const rule = (text: string): Sections => ({
  routes: `routes: [{ name: app, authenticate: [staff], authorize: [{ ${text} }] }]`,
})

describe('routes', () => {
  checkAll([
    { name: 'are required', input: { routes: 'routes: []' }, want: [/^routes: Too small/] },
    {
      name: 'have names of their own',
      input: {
        routes:
          'routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }, { name: app, authenticate: [staff], authorize: [{ allow: all }] }]',
      },
      want: [/^routes\[1\]\.name: "app" names an earlier route too$/],
    },
    {
      name: 'name authenticators that exist',
      input: {
        routes:
          'routes: [{ name: app, authenticate: [staff, guest, constructor], authorize: [{ allow: all }] }]',
      },
      want: [
        /^routes\[0\]\.authenticate\[1\]: there is no authenticator "guest" \(there are: staff, guests\)$/,
        /^routes\[0\]\.authenticate\[2\]: there is no authenticator "constructor"/,
      ],
    },
    {
      name: 'authenticate somehow',
      input: { routes: 'routes: [{ name: app, authenticate: [], authorize: [{ allow: all }] }]' },
      want: [/^routes\[0\]\.authenticate: Too small/],
    },
    {
      name: 'authorize somehow',
      input: { routes: 'routes: [{ name: app, authenticate: [staff], authorize: [] }]' },
      want: [/^routes\[0\]\.authorize: Too small/],
    },
    {
      name: 'match hosts',
      input: route("match: { hosts: [a.example, '*.b.example', '*'] }"),
      want: [],
    },
    {
      name: 'match hosts in lower case, without port, whole labels',
      input: route("match: { hosts: [A.example, 'a.example:443', 'x*.example', '*.', 'a..b'] }"),
      want: Array.from(
        { length: 5 },
        () => /^routes\[0\]\.match\.hosts\[\d\]: must be a lower-case host/,
      ),
    },
    {
      name: 'match absolute paths',
      input: route('match: { paths: [api] }'),
      want: [/^routes\[0\]\.match\.paths\[0\]: must start with "\/"/],
    },
    {
      name: 'match something',
      input: route('match: { hosts: [], paths: [] }'),
      want: [/^routes\[0\]\.match\.hosts: Too small/, /^routes\[0\]\.match\.paths: Too small/],
    },
    {
      name: 'forward headers that there are',
      input: route('forward: { headers: kubernets }'),
      want: [/^routes\[0\]\.forward\.headers: /],
    },
    {
      name: 'deny or allow when audit fails',
      input: route('onAuditFailure: ignore'),
      want: [/^routes\[0\]\.onAuditFailure: /],
    },
  ])
})

describe('rules', () => {
  const EXACTLY_ONE = /^routes\[0\]\.authorize\[0\]: must have exactly one of "allow" and "deny"/
  checkAll([
    { name: 'allow or deny', input: rule('users: [alice]'), want: [EXACTLY_ONE] },
    { name: 'do not do both', input: rule('allow: a, deny: b'), want: [EXACTLY_ONE] },
    {
      name: 'have names of their own, also across allow and deny',
      input: {
        routes:
          'routes: [{ name: app, authenticate: [staff], authorize: [{ allow: a }, { deny: a }, { allow: b }] }]',
      },
      want: [/^routes\[0\]\.authorize\[1\]\.deny: "a" names an earlier rule of this route too/],
    },
    {
      name: 'have upper-case methods',
      input: rule('allow: a, methods: [get]'),
      want: [/methods\[0\]: must be an upper-case HTTP method/],
    },
    {
      name: 'have absolute paths',
      input: rule('allow: a, paths: ["**"]'),
      want: [/paths\[0\]: must start with "\/"/],
    },
    {
      name: 'have no empty list, which could be read as "any" or as "none"',
      input: rule('allow: a, methods: [], paths: [], users: [], groups: []'),
      want: [/methods: Too small/, /paths: Too small/, /users: Too small/, /groups: Too small/],
    },
    {
      name: 'have no other matchers',
      input: rule('allow: a, host: b'),
      want: [/host: unknown key/],
    },
  ])
})
