// What routes must not say. Their rules are in rules.test.ts.

import { describe } from 'node:test'
import { checkAll, type Sections } from './sections.ts'

/** One route with this in it. */
const route = (text: string): Sections => ({
  routes: `routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }], ${text} }]`,
})

describe('the section routes', () => {
  checkAll([
    {
      name: 'refuses an empty list',
      input: { routes: 'routes: []' },
      want: [/^routes: must (?:not be empty|be at least)/],
    },
    {
      name: 'refuses a name twice',
      input: {
        routes:
          'routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }] }, { name: app, authenticate: [staff], authorize: [{ allow: all }] }]',
      },
      want: [/^routes\[1\]\.name: "app" names an earlier route too$/],
    },
    {
      name: 'refuses unknown authenticators',
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
      name: 'refuses a route without authenticators',
      input: { routes: 'routes: [{ name: app, authenticate: [], authorize: [{ allow: all }] }]' },
      want: [/^routes\[0\]\.authenticate: must (?:not be empty|be at least)/],
    },
    {
      name: 'refuses a route without rules',
      input: { routes: 'routes: [{ name: app, authenticate: [staff], authorize: [] }]' },
      want: [/^routes\[0\]\.authorize: must (?:not be empty|be at least)/],
    },
    {
      name: 'accepts hosts and wildcards',
      input: route("match: { hosts: [a.example, '*.b.example', '*'] }"),
      want: [],
    },
    {
      name: 'refuses hosts in capitals, with a port, or with a part of a label as a wildcard',
      input: route("match: { hosts: [A.example, 'a.example:443', 'x*.example', '*.', 'a..b'] }"),
      want: Array.from(
        { length: 5 },
        () => /^routes\[0\]\.match\.hosts\[\d\]: must be a lower-case host/,
      ),
    },
    {
      name: 'refuses relative paths',
      input: route('match: { paths: [api] }'),
      want: [/^routes\[0\]\.match\.paths\[0\]: must start with "\/"/],
    },
    {
      name: 'refuses empty lists of hosts and paths',
      input: route('match: { hosts: [], paths: [] }'),
      want: [
        /^routes\[0\]\.match\.hosts: must (?:not be empty|be at least)/,
        /^routes\[0\]\.match\.paths: must (?:not be empty|be at least)/,
      ],
    },
    {
      name: 'refuses unknown header sets',
      input: route('forward: { headers: kubernets }'),
      want: [/^routes\[0\]\.forward\.headers: /],
    },
    {
      name: 'refuses an unknown kind of service',
      input: route('kind: grpc'),
      want: [/^routes\[0\]\.kind: /],
    },
    {
      name: 'refuses an unknown value of onAuditFailure',
      input: route('onAuditFailure: ignore'),
      want: [/^routes\[0\]\.onAuditFailure: /],
    },
  ])
})
