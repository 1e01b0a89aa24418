// What routes must not say. Their rules are in rules.test.ts.

import { describe } from 'node:test'
import { checkAll, type Sections } from './sections.ts'

/** One route with this in it. */
const route = (text: string): Sections => ({
  routes: `routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all }], ${text} }]`,
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
      name: 'publish what there is a way to read',
      input: route('kind: grpc'),
      want: [/^routes\[0\]\.kind: /],
    },
    {
      name: 'deny or allow when audit fails',
      input: route('onAuditFailure: ignore'),
      want: [/^routes\[0\]\.onAuditFailure: /],
    },
  ])
})
