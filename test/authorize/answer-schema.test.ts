// `response` and `redirect` of a rule: what they must not say.

import { describe } from 'node:test'
import { checkAll, type Sections } from '../configuration/sections.ts'

const rule = (text: string): Sections => ({
  routes: `routes: [{ name: app, authenticate: [staff], authorize: [{ deny: closed, ${text} }] }]`,
})

const headers = (text: string): Sections => rule(`response: { body: x, headers: { ${text} } }`)

const AT = String.raw`^routes\[0\]\.authorize\[0\]`

const at = (place: string, message: string): RegExp => new RegExp(`${AT}${place}: .*${message}`)

describe('the schema of a rule’s answer', () => {
  checkAll([
    {
      name: 'accepts a status, a message and headers',
      input: rule(
        'response: { status: 451, message: No., headers: { retry-after: "60", x-a: "" } }',
      ),
      want: [],
    },
    {
      name: 'accepts a body with its type',
      input: headers('content-type: text/html; charset=utf-8, cache-control: max-age=60'),
      want: [],
    },
    {
      name: 'refuses the status of a success',
      input: rule('response: { status: 200 }'),
      want: [at(String.raw`\.response\.status`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'refuses a status that HTTP does not have',
      input: rule('response: { status: 600 }'),
      want: [at(String.raw`\.response\.status`, 'must be at most')],
    },
    {
      name: 'refuses the status of a redirect',
      input: rule('response: { status: 302 }'),
      want: [at(String.raw`\.response\.status`, 'must (?:not be empty|be at least)')],
    },
    {
      name: 'refuses a message together with a body',
      input: rule('response: { message: x, body: y }'),
      want: [at(String.raw`\.response`, '"message" and "body" cannot be combined')],
    },
    {
      name: 'refuses the type of a body without a body',
      input: rule('response: { message: x, headers: { content-type: text/html } }'),
      want: [at(String.raw`\.response`, '"content-type" is allowed only with "body"')],
    },
    {
      name: 'refuses header names in capitals',
      input: headers('X-Note: a'),
      want: [at(String.raw`\.response\.headers\.X-Note`, 'must be a header name in lower case')],
    },
    ...[
      'connection',
      'content-length',
      'keep-alive',
      'location',
      'proxy-connection',
      'te',
      'trailer',
      'transfer-encoding',
      'upgrade',
      'x-content-type-options',
      'x-countersign-decision',
    ].map((name) => ({
      name: `refuses the header ${name}`,
      input: headers(`${name}: "1"`),
      want: [at(String.raw`\.response\.headers\.${name}`, 'cannot be set by a rule')],
    })),
    ...[String.raw`"a\r\nx: y"`, String.raw`"a\0"`, '"ü"', '" a"', '"a "'].map((value) => ({
      name: `refuses a header value that a line cannot hold: ${value}`,
      input: headers(`x-note: ${value}`),
      want: [at(String.raw`\.response\.headers\.x-note`, 'must be printable ASCII')],
    })),
  ])
})

describe('the schema of a rule’s redirect', () => {
  const REDIRECTS = ['https://login.example.org/?to={url}', 'http://a', '/login?{url}&{decision}']
  const BAD = [
    'javascript:alert(1)',
    '//login.example.org',
    String.raw`/\login.example.org`,
    'https:///login',
    'login',
    '"/a\\r\\nx: y"',
    '/ü',
    '"/a b"',
    '""',
  ]
  checkAll([
    ...REDIRECTS.map((input) => ({
      name: `accepts the location ${input}`,
      input: rule(`redirect: '${input}'`),
      want: [],
    })),
    ...BAD.map((input) => ({
      name: `refuses ${input}`,
      input: rule(`redirect: ${input.startsWith('"') ? input : `'${input}'`}`),
      want: [at(String.raw`\.redirect`, 'must be an http or https URL, or a path')],
    })),
    {
      name: 'refuses an answer in addition',
      input: rule('redirect: /, response: { status: 404 }'),
      want: [at('', '"response" and "redirect" cannot be combined')],
    },
    {
      name: 'refuses "allow"',
      input: {
        routes:
          'routes: [{ name: app, authenticate: [staff], authorize: [{ allow: all, redirect: / }] }]',
      },
      want: [at('', '"response" and "redirect" are allowed only with "deny"')],
    },
  ])
})
