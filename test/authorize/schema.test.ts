// What a rule must not say. What rules must not say together is in rule-problems.test.ts.

import { describe } from 'node:test'
import { checkAll, type Sections } from '../configuration/sections.ts'

/** One route with these rules. */
const rules = (text: string, more = ''): Sections => ({
  routes: `routes: [{ name: app, authenticate: [{ all: [staff, guests] }, staff], authorize: [${text}]${more} }]`,
})

/** One rule. */
const rule = (text: string): Sections => rules(`{ ${text} }`)

const EXACTLY_ONE = /^routes\[0\]\.authorize\[0\]: must have exactly one of "allow" and "deny"/

const at = (path: string, message: string): RegExp =>
  new RegExp(String.raw`^routes\[0\]\.authorize\[0\]${path}: ${message}`)

describe('a rule', () => {
  checkAll([
    { name: 'allows or denies', input: rule('users: [alice]'), want: [EXACTLY_ONE] },
    { name: 'does not do both', input: rule('allow: a, deny: b'), want: [EXACTLY_ONE] },
    {
      name: 'has an upper-case method',
      input: rule('allow: a, methods: [get]'),
      want: [at(String.raw`\.methods\[0\]`, 'must be an upper-case HTTP method')],
    },
    {
      name: 'has an absolute path',
      input: rule('allow: a, paths: ["**"], templates: ["{id}"]'),
      want: [
        at(String.raw`\.paths\[0\]`, 'must start with "/"'),
        at(String.raw`\.templates\[0\]`, 'must start with "/"'),
      ],
    },
    {
      name: 'has a host as routes have it',
      input: rule('allow: a, hosts: [A.example, "a.example:1", "[::1]", "*.b.example"]'),
      want: [
        at(String.raw`\.hosts\[0\]`, 'must be a lower-case host'),
        at(String.raw`\.hosts\[1\]`, 'must be a lower-case host'),
      ],
    },
    {
      name: 'has no empty list, which could be read as "any" or as "none"',
      input: rule(
        'allow: a, users: [], groups: [], authenticators: [], methods: [], hosts: [], paths: [], sources: [], times: [], verbs: [], apiGroups: [], resources: [], namespaces: [], names: [], operations: [], tags: [], templates: []',
      ),
      want: [
        'users',
        'groups',
        'authenticators',
        'methods',
        'hosts',
        'paths',
        'sources',
        'times',
        'verbs',
        'apiGroups',
        'resources',
        'namespaces',
        'names',
        'operations',
        'tags',
        'templates',
      ].map((key) => at(`\\.${key}`, 'Too small')),
    },
    {
      name: 'has no empty pattern, except for what can be empty',
      input: rule(
        'allow: a, users: [""], groups: [""], operations: [""], tags: [""], apiGroups: [""], namespaces: [""], names: [""]',
      ),
      want: ['users', 'groups', 'operations', 'tags'].map((key) =>
        at(String.raw`\.${key}\[0\]`, 'Too small'),
      ),
    },
    {
      name: 'has no other matcher',
      input: rule('allow: a, host: b'),
      want: [at(String.raw`\.host`, 'unknown key$')],
    },
    { name: 'is an object', input: rules('alice'), want: [at('', '')] },
    {
      name: 'has networks',
      input: rule('allow: a, sources: [10.0.0.0/8, "::1", "2001:db8::/32", 192.0.2.1]'),
      want: [],
    },
    {
      name: 'has no network that is none',
      input: rule('allow: a, sources: [10.0.0.0/33, example.org, "::/129", ""]'),
      want: [0, 1, 2, 3].map((index) =>
        at(String.raw`\.sources\[${index}\]`, 'must be an IP address or a network such as'),
      ),
    },
    {
      name: 'has verbs and resources in lower case',
      input: rule('allow: a, verbs: [GET, "*"], resources: [Pods, pods/exec/x, "*/*"]'),
      want: [
        at(String.raw`\.verbs\[0\]`, 'must be a lower-case verb'),
        at(String.raw`\.resources\[0\]`, 'must be a resource'),
        at(String.raw`\.resources\[1\]`, 'must be a resource'),
      ],
    },
    {
      name: 'has verbs that requests have',
      input: rule('allow: a, verbs: [lists, impersonate, use, head, trace, watch]'),
      want: [0, 1, 2].map((index) =>
        at(String.raw`\.verbs\[${index}\]`, 'is not a Kubernetes verb'),
      ),
    },
    {
      name: 'has API groups without version, and no name for the core group',
      input: rule('allow: a, apiGroups: [core, v1, apps/v1, "", apps, "*", "v*.example.org"]'),
      want: [0, 1, 2].map((index) =>
        at(String.raw`\.apiGroups\[${index}\]`, 'must be a group without a version'),
      ),
    },
    {
      name: 'has paths that requests have',
      input: rule(
        String.raw`allow: a, paths: ["/a%20b", "/a?b=c", "/a//b", "/a/../b", "/a/.", 'C:\a', '/a\b', "/ä b", "/.well-known/**", "/100%", "/a;b"]`,
      ),
      want: [
        ...[0, 1, 2, 3, 4].map((index) =>
          at(String.raw`\.paths\[${index}\]`, 'matches no request'),
        ),
        at(String.raw`\.paths\[5\]`, 'must start with'),
        at(String.raw`\.paths\[6\]`, 'matches no request'),
      ],
    },
    {
      name: 'says whom it lets impersonate by what there is',
      input: rule('allow: a, impersonate: { user: [b], extra: { k: [] } }'),
      want: [
        at(String.raw`\.impersonate\.extra\.k`, 'Too small'),
        at(String.raw`\.impersonate\.user`, 'unknown key$'),
      ],
    },
    {
      name: 'needs an API server for its review',
      input: rule('allow: a, subjectAccessReview: true'),
      want: [at(String.raw`\.subjectAccessReview`, 'needs "apiServer" of the route$')],
    },
    {
      name: 'has an API server for its review',
      input: rules(
        '{ allow: a, subjectAccessReview: true }',
        ', apiServer: { server: https://a, token: file:t }',
      ),
      want: [],
    },
  ])
})

describe('a stretch of time', () => {
  const times = (text: string): Sections => rule(`allow: a, times: [{ ${text} }]`)
  const time = String.raw`\.times\[0\]`
  checkAll([
    { name: 'is of the week', input: times('days: [mon, sun]'), want: [] },
    { name: 'is of the day', input: times("from: '22:00', to: '24:00'"), want: [] },
    { name: 'is of the calendar', input: times("since: '2026-01-01T00:00:00+01:00'"), want: [] },
    { name: 'says something', input: times('timeZone: UTC'), want: [at(time, 'has no condition')] },
    {
      name: 'has an end with its beginning',
      input: times("from: '08:00'"),
      want: [at(time, '"from" and "to" must be set together$')],
    },
    {
      name: 'is longer than nothing',
      input: times("from: '08:00', to: '08:00'"),
      want: [at(time, '"from" and "to" are the same$')],
    },
    {
      name: 'ends after it begins',
      input: times("since: '2026-01-01T00:00:00Z', until: '2026-01-01T00:30:00+01:00'"),
      want: [at(time, '"since" is not before "until"$')],
    },
    {
      name: 'has days, times of day, a zone and instants that there are',
      input: times(
        "days: [monday], from: '8:00', to: '25:00', timeZone: Europe/Atlantis, since: '2026-02-30T00:00:00Z', until: '2026-01-01'",
      ),
      want: [
        at(String.raw`${time}\.days\[0\]`, 'Invalid option'),
        at(String.raw`${time}\.from`, 'must be a time of day'),
        at(String.raw`${time}\.to`, 'must be a time of day'),
        at(String.raw`${time}\.timeZone`, 'must be a time zone'),
        at(String.raw`${time}\.since`, 'must be a date with time and offset'),
        at(String.raw`${time}\.until`, 'must be a date with time and offset'),
      ],
    },
  ])
})

describe('what a rule answers', () => {
  checkAll([
    {
      name: 'is of refusals',
      input: rules('{ allow: a, response: {} }, { allow: b, redirect: /x }'),
      want: [
        at('', '"response" and "redirect" are allowed only with "deny"$'),
        /^routes\[0\]\.authorize\[1\]: "response" and "redirect" are allowed only with "deny"$/,
      ],
    },
    {
      name: 'is one of two',
      input: rule('deny: a, response: {}, redirect: /x'),
      want: [at('', '"response" and "redirect" cannot be combined$')],
    },
    {
      name: 'is not a success',
      input: rule('deny: a, response: { status: 200 }'),
      want: [at(String.raw`\.response\.status`, 'Too small')],
    },
    {
      name: 'leads to a URL or a path',
      input: rules(
        ['https://a.example/x?u={url}', 'http://a', '/x', '/x//y']
          .map((target, index) => `{ deny: r${index}, redirect: '${target}' }`)
          .concat('{ allow: all }')
          .join(', '),
      ),
      want: [],
    },
    {
      name: 'leads to no other host by a path, and runs no script (hostile)',
      input: rules(
        [
          '//evil.example',
          String.raw`/\evil.example`,
          'javascript:alert(1)',
          'https:evil.example',
          'https:///evil.example',
          '/x y',
          '',
        ]
          .map((target, index) => `{ deny: r${index}, redirect: '${target}' }`)
          .join(', '),
      ),
      want: [0, 1, 2, 3, 4, 5, 6].map(
        (index) =>
          new RegExp(
            String.raw`^routes\[0\]\.authorize\[${index}\]\.redirect: must be an http or https URL`,
          ),
      ),
    },
  ])
})

describe('a list of rules', () => {
  checkAll([
    {
      name: 'has rules as they are elsewhere',
      input: rules('{ list: l, rules: [{ allow: a, methods: [GET] }, { deny: b }] }'),
      want: [],
    },
    {
      name: 'is reported with the problems of its rules, not as an unknown rule',
      input: rules('{ list: l, rules: [{ allow: a, host: b }, { deny: b, methods: [get] }] }'),
      want: [
        at(String.raw`\.rules\[0\]\.host`, 'unknown key$'),
        at(String.raw`\.rules\[1\]\.methods\[0\]`, 'must be an upper-case HTTP method'),
      ],
    },
    {
      name: 'has rules',
      input: rules('{ list: l }, { list: m, rules: [] }'),
      want: [
        at(String.raw`\.rules`, 'required, but missing$'),
        /^routes\[0\]\.authorize\[1\]\.rules: Too small/,
      ],
    },
    {
      name: 'has a name',
      input: rules('{ rules: [{ allow: a }] }'),
      want: [at(String.raw`\.list`, 'required, but missing$')],
    },
    {
      name: 'has no matchers of its own',
      input: rules('{ list: l, users: [alice], rules: [{ allow: a }] }'),
      want: [at(String.raw`\.users`, 'unknown key$')],
    },
    {
      name: 'has no list in it',
      input: rules('{ list: l, rules: [{ list: m, rules: [{ allow: a }] }] }'),
      want: [
        at(String.raw`\.rules\[0\]\.list`, 'unknown key$'),
        at(String.raw`\.rules\[0\]\.rules`, 'unknown key$'),
        at(String.raw`\.rules\[0\]`, 'must have exactly one of "allow" and "deny"'),
      ],
    },
  ])
})
