// What a rule must not say. What rules must not say together is in rule-problems.test.ts.

import { describe } from 'node:test'
import { checkAll, type Sections, inFirstRule } from '../configuration/sections.ts'

/** One route with these rules. */
const rules = (text: string, more = ''): Sections => ({
  routes: `routes: [{ name: app, authenticate: [{ all: [staff, guests] }, staff], authorize: [${text}]${more} }]`,
})

/** One rule. */
const rule = (text: string): Sections => rules(`{ ${text} }`)

const EXACTLY_ONE = /^routes\[0\]\.authorize\[0\]: must have exactly one of "allow" and "deny"/

describe('the schema of a rule', () => {
  checkAll([
    {
      name: 'refuses a rule without allow and deny',
      input: rule('users: [alice]'),
      want: [EXACTLY_ONE],
    },
    { name: 'refuses both allow and deny', input: rule('allow: a, deny: b'), want: [EXACTLY_ONE] },
    {
      name: 'refuses a method in lower case',
      input: rule('allow: a, methods: [get]'),
      want: [inFirstRule(String.raw`\.methods\[0\]`, 'must be an upper-case HTTP method')],
    },
    {
      name: 'refuses a relative path',
      input: rule('allow: a, paths: ["**"], templates: ["{id}"]'),
      want: [
        inFirstRule(String.raw`\.paths\[0\]`, 'must start with "/"'),
        inFirstRule(String.raw`\.templates\[0\]`, 'must start with "/"'),
      ],
    },
    {
      name: 'refuses hosts that routes refuse',
      input: rule('allow: a, hosts: [A.example, "a.example:1", "[::1]", "*.b.example"]'),
      want: [
        inFirstRule(String.raw`\.hosts\[0\]`, 'must be a lower-case host'),
        inFirstRule(String.raw`\.hosts\[1\]`, 'must be a lower-case host'),
      ],
    },
    {
      name: 'refuses an empty list, which could be read as "any" or as "none"',
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
      ].map((key) => inFirstRule(`\\.${key}`, 'must (?:not be empty|be at least)')),
    },
    {
      name: 'refuses an empty pattern, except where the value can be empty',
      input: rule(
        'allow: a, users: [""], groups: [""], operations: [""], tags: [""], apiGroups: [""], namespaces: [""], names: [""]',
      ),
      want: ['users', 'groups', 'operations', 'tags'].map((key) =>
        inFirstRule(String.raw`\.${key}\[0\]`, 'must (?:not be empty|be at least)'),
      ),
    },
    {
      name: 'refuses an unknown matcher',
      input: rule('allow: a, host: b'),
      want: [inFirstRule(String.raw`\.host`, 'unknown key; did you mean "hosts"')],
    },
    { name: 'refuses what is not an object', input: rules('alice'), want: [inFirstRule('', '')] },
    {
      name: 'accepts a list of networks',
      input: rule('allow: a, sources: [10.0.0.0/8, "::1", "2001:db8::/32", 192.0.2.1]'),
      want: [],
    },
    {
      name: 'refuses an invalid network',
      input: rule('allow: a, sources: [10.0.0.0/33, example.org, "::/129", ""]'),
      want: [0, 1, 2, 3].map((index) =>
        inFirstRule(
          String.raw`\.sources\[${index}\]`,
          'must be an IP address or a network such as',
        ),
      ),
    },
    {
      name: 'refuses verbs and resources in capitals',
      input: rule('allow: a, verbs: [GET, "*"], resources: [Pods, pods/exec/x, "*/*"]'),
      want: [
        inFirstRule(String.raw`\.verbs\[0\]`, 'must be a lower-case verb'),
        inFirstRule(String.raw`\.resources\[0\]`, 'must be a resource'),
        inFirstRule(String.raw`\.resources\[1\]`, 'must be a resource'),
      ],
    },
    {
      name: 'refuses verbs that requests do not have',
      input: rule('allow: a, verbs: [lists, impersonate, use, head, trace, watch]'),
      want: [0, 1, 2].map((index) =>
        inFirstRule(String.raw`\.verbs\[${index}\]`, 'is not a Kubernetes verb'),
      ),
    },
    {
      name: 'refuses API groups with a version, and names for the core group',
      input: rule('allow: a, apiGroups: [core, v1, apps/v1, "", apps, "*", "v*.example.org"]'),
      want: [0, 1, 2].map((index) =>
        inFirstRule(String.raw`\.apiGroups\[${index}\]`, 'must be a group without a version'),
      ),
    },
    {
      name: 'refuses paths that requests cannot have',
      input: rule(
        String.raw`allow: a, paths: ["/a%20b", "/a?b=c", "/a//b", "/a/../b", "/a/.", 'C:\a', '/a\b', "/ä b", "/.well-known/**", "/100%", "/a;b"]`,
      ),
      want: [
        ...[0, 1, 2, 3, 4].map((index) =>
          inFirstRule(String.raw`\.paths\[${index}\]`, 'matches no request'),
        ),
        inFirstRule(String.raw`\.paths\[5\]`, 'must start with'),
        inFirstRule(String.raw`\.paths\[6\]`, 'matches no request'),
      ],
    },
    {
      name: 'refuses invalid fields of impersonate',
      input: rule('allow: a, impersonate: { user: [b], extra: { k: [] } }'),
      want: [
        inFirstRule(String.raw`\.impersonate\.extra\.k`, 'must (?:not be empty|be at least)'),
        inFirstRule(String.raw`\.impersonate\.user`, 'unknown key; did you mean "users"'),
      ],
    },
    {
      name: 'refuses subjectAccessReview without an API server',
      input: rule('allow: a, subjectAccessReview: true'),
      want: [inFirstRule(String.raw`\.subjectAccessReview`, 'needs "apiServer" of the route$')],
    },
    {
      name: 'accepts subjectAccessReview with an API server',
      input: rules(
        '{ allow: a, subjectAccessReview: true }',
        ', apiServer: { server: https://a, token: file:t }',
      ),
      want: [],
    },
  ])
})

describe('the schema of times', () => {
  const times = (text: string): Sections => rule(`allow: a, times: [{ ${text} }]`)
  const time = String.raw`\.times\[0\]`
  checkAll([
    { name: 'accepts days of the week', input: times('days: [mon, sun]'), want: [] },
    { name: 'accepts times of day', input: times("from: '22:00', to: '24:00'"), want: [] },
    {
      name: 'accepts instants with a time zone',
      input: times("since: '2026-01-01T00:00:00+01:00'"),
      want: [],
    },
    {
      name: 'refuses an empty range',
      input: times('timeZone: UTC'),
      want: [inFirstRule(time, 'has no condition')],
    },
    {
      name: 'refuses a beginning without an end',
      input: times("from: '08:00'"),
      want: [inFirstRule(time, '"from" and "to" must be set together$')],
    },
    {
      name: 'refuses a range without length',
      input: times("from: '08:00', to: '08:00'"),
      want: [inFirstRule(time, '"from" and "to" are the same$')],
    },
    {
      name: 'refuses a range that ends before it begins',
      input: times("since: '2026-01-01T00:00:00Z', until: '2026-01-01T00:30:00+01:00'"),
      want: [inFirstRule(time, '"since" is not before "until"$')],
    },
    {
      name: 'refuses days, times, zones and instants that do not exist',
      input: times(
        "days: [monday], from: '8:00', to: '25:00', timeZone: Europe/Atlantis, since: '2026-02-30T00:00:00Z', until: '2026-01-01'",
      ),
      want: [
        inFirstRule(String.raw`${time}\.days\[0\]`, 'must be one of'),
        inFirstRule(String.raw`${time}\.from`, 'must be a time of day'),
        inFirstRule(String.raw`${time}\.to`, 'must be a time of day'),
        inFirstRule(String.raw`${time}\.timeZone`, 'must be a time zone'),
        inFirstRule(String.raw`${time}\.since`, 'must be a date with time and offset'),
        inFirstRule(String.raw`${time}\.until`, 'must be a date with time and offset'),
      ],
    },
  ])
})

describe('the schema of a rule’s response', () => {
  checkAll([
    {
      name: 'refuses response and redirect with allow',
      input: rules('{ allow: a, response: {} }, { allow: b, redirect: /x }'),
      want: [
        inFirstRule('', '"response" and "redirect" are allowed only with "deny"$'),
        /^routes\[0\]\.authorize\[1\]: "response" and "redirect" are allowed only with "deny"$/,
      ],
    },
    {
      name: 'refuses response together with redirect',
      input: rule('deny: a, response: {}, redirect: /x'),
      want: [inFirstRule('', '"response" and "redirect" cannot be combined$')],
    },
    {
      name: 'refuses the status of a success',
      input: rule('deny: a, response: { status: 200 }'),
      want: [inFirstRule(String.raw`\.response\.status`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'accepts a URL or a path as redirect',
      input: rules(
        ['https://a.example/x?u={url}', 'http://a', '/x', '/x//y']
          .map((target, index) => `{ deny: r${index}, redirect: '${target}' }`)
          .concat('{ allow: all }')
          .join(', '),
      ),
      want: [],
    },
    {
      name: 'hostile: refuses a path to another host, and a script',
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

describe('the schema of a list of rules', () => {
  checkAll([
    {
      name: 'accepts rules as outside of a list',
      input: rules('{ list: l, rules: [{ allow: a, methods: [GET] }, { deny: b }] }'),
      want: [],
    },
    {
      name: 'reports the problems of its rules, not an unknown rule',
      input: rules('{ list: l, rules: [{ allow: a, host: b }, { deny: b, methods: [get] }] }'),
      want: [
        inFirstRule(String.raw`\.rules\[0\]\.host`, 'unknown key; did you mean "hosts"'),
        inFirstRule(String.raw`\.rules\[1\]\.methods\[0\]`, 'must be an upper-case HTTP method'),
      ],
    },
    {
      name: 'refuses a list without rules',
      input: rules('{ list: l }, { list: m, rules: [] }'),
      want: [
        inFirstRule(String.raw`\.rules`, 'required, but missing$'),
        /^routes\[0\]\.authorize\[1\]\.rules: must (?:not be empty|be at least)/,
      ],
    },
    {
      name: 'refuses a list without a name',
      input: rules('{ rules: [{ allow: a }] }'),
      want: [inFirstRule(String.raw`\.list`, 'required, but missing$')],
    },
    {
      name: 'refuses matchers of a list',
      input: rules('{ list: l, users: [alice], rules: [{ allow: a }] }'),
      want: [inFirstRule(String.raw`\.users`, 'unknown key$')],
    },
    {
      name: 'refuses a list in a list',
      input: rules('{ list: l, rules: [{ list: m, rules: [{ allow: a }] }] }'),
      want: [
        inFirstRule(String.raw`\.rules\[0\]\.list`, 'unknown key$'),
        inFirstRule(String.raw`\.rules\[0\]\.rules`, 'unknown key$'),
        inFirstRule(String.raw`\.rules\[0\]`, 'must have exactly one of "allow" and "deny"'),
      ],
    },
  ])
})
