// The rules of the scenario, and requests for them: one case for each thing that a rule can match, each
// with the expected decision.

import type { DecisionEvent } from '../../../src/audit/event.ts'
import { http1, type Answer, type HeaderLine } from '../../servers/client.ts'
import { ALICE, basic, HOST, PASSWORDS, startSite, type Site } from '../site.ts'
import { eventOf } from './tools.ts'

const BETA = 'beta.example.org'
/** The host of an API with a description. */
export const PLANETS = 'planets.example.org'
const BOB = basic('bob', PASSWORDS.bob)
/** The address of another caller. */
const OFFICE = '127.0.0.2'

const FREEZE = {
  list: 'freeze',
  shadow: true,
  rules: [{ allow: 'freeze-readers', methods: ['GET'] }, { deny: 'freeze-all' }],
}
const UNSURE = 'request.headers["x-sure"][0] == "no"'
/** The rules. */
export const RULES = [
  FREEZE,
  { deny: 'soon', shadow: true, paths: ['/public/legacy/**'] },
  { deny: 'unsure', shadow: true, paths: ['/public/unsure'], when: UNSURE },
  { deny: 'odd', paths: ['/odd'], when: UNSURE },
  {
    deny: 'moved',
    paths: ['/old/**'],
    redirect: 'https://new.example.org/?from={url}&decision={decision}',
  },
  {
    deny: 'hidden',
    paths: ['/hidden/**'],
    response: {
      status: 404,
      body: '{"error":"none","rule":"{rule}","id":"{decision}"}',
      headers: { 'content-type': 'application/json', 'x-hint': 'ask Jane' },
    },
  },
  { allow: 'office', paths: ['/office/**'], sources: [`${OFFICE}/32`] },
  {
    allow: 'own-files',
    paths: ['/files/{owner}/**'],
    when: 'request.segments.owner == identity.user',
  },
  { allow: 'beta', hosts: [BETA], groups: ['ops'] },
  { allow: 'public', hosts: [HOST], paths: ['/public/**'] },
]

/** The next version of them, of which most is as before. */
export const NEXT_RULES = RULES.map((rule) => {
  if ('list' in rule) return rule
  if (rule.deny === 'soon') return { ...rule, shadow: false }
  if (rule.deny === 'hidden') return { ...rule, response: { status: 410 } }
  if (rule.allow === 'own-files') return { ...rule, methods: ['GET'] }
  if (rule.allow === 'office') return { ...rule, sources: ['127.0.0.0/30'] }
  if (rule.allow === 'beta') return { ...rule, allow: 'beta-testers' }
  return rule
})

/** Something to ask. */
export interface Case {
  readonly name: string
  readonly path: string
  readonly method?: string
  readonly who?: HeaderLine
  readonly host?: string
  readonly from?: string
  readonly headers?: readonly HeaderLine[]
  /** Status, reason and, where there is one, rule. */
  readonly want: string
  /** In addition to the list in shadow, which judges every request of its route. */
  readonly shadow?: DecisionEvent['shadow']
}

/** The requests, each with its expected decision. */
export const CASES: readonly Case[] = [
  { name: 'the user’s own files', path: '/files/alice/a/b', want: '200 permitted own-files' },
  { name: 'the user’s own folder', path: '/files/alice', want: '200 permitted own-files' },
  {
    name: 'the user’s own file, written',
    method: 'PUT',
    path: '/files/alice/a',
    want: '200 permitted own-files',
  },
  {
    name: 'the user’s own file, with an encoded letter',
    path: '/files/%61lice/a',
    want: '200 permitted own-files',
  },
  { name: 'the files of another user', path: '/files/bob/a', want: '403 no-rule' },
  {
    name: 'the files of another user, by their owner',
    path: '/files/bob/a',
    who: BOB,
    want: '200 permitted own-files',
  },
  {
    name: 'the files of another user, by dot segments',
    path: '/files/alice/../bob/a',
    want: '403 no-rule',
  },
  { name: 'the owner in capitals', path: '/files/Alice/a', want: '403 no-rule' },
  { name: 'a rule for another host', path: '/anything', want: '403 no-rule' },
  { name: 'a rule for this host', host: BETA, path: '/anything', want: '200 permitted beta' },
  {
    name: 'this host, by a user without the group',
    host: BETA,
    path: '/anything',
    who: BOB,
    want: '403 no-rule',
  },
  {
    name: 'a path that is public on another host',
    host: BETA,
    path: '/public/a',
    who: BOB,
    want: '403 no-rule',
  },
  {
    name: 'an address in the range',
    path: '/office/a',
    from: OFFICE,
    want: '200 permitted office',
  },
  { name: 'an address outside the range', path: '/office/a', want: '403 no-rule' },
  {
    name: 'an address in the range that the client claims',
    path: '/office/a',
    headers: [['X-Forwarded-For', OFFICE]],
    want: '403 no-rule',
  },
  { name: 'a condition that cannot be evaluated', path: '/odd', want: '403 rule-failed odd' },
  {
    name: 'a condition that holds',
    path: '/odd',
    headers: [['X-Sure', 'no']],
    want: '403 rule-denied odd',
  },
  {
    name: 'a condition that does not hold',
    path: '/odd',
    headers: [['X-Sure', 'yes']],
    want: '403 no-rule',
  },
  { name: 'a redirect', path: '/old/a%20b?c=d', want: '302 rule-denied moved' },
  { name: 'a configured answer', path: '/hidden/a', want: '404 rule-denied hidden' },
  {
    name: 'a rule in shadow',
    path: '/public/legacy/a',
    want: '200 permitted public',
    shadow: [{ rule: 'soon', decision: 'deny' }],
  },
  {
    name: 'a rule in shadow that cannot be evaluated',
    path: '/public/unsure',
    want: '200 permitted public',
    shadow: [{ rule: 'unsure', decision: 'failed' }],
  },
  {
    name: 'a list in shadow that would deny',
    method: 'POST',
    path: '/public/a',
    want: '200 permitted public',
  },
  { name: 'an operation', host: PLANETS, path: '/planets/3', want: '200 permitted look' },
  {
    name: 'another operation',
    host: PLANETS,
    method: 'DELETE',
    path: '/planets/3',
    want: '403 no-rule',
  },
]

/** The case that asks for a path. */
export const caseOf = (path: string): Case => {
  const found = CASES.find((one) => one.path === path)
  if (found === undefined) throw new TypeError(`no case asks for ${path}`)
  return found
}

/** Starts a site with these rules; its metrics are at `authz-admin.sock` next to its files. */
export const startRulesSite = (description: string): Promise<Site> =>
  startSite({
    admin: 'unix:authz-admin.sock',
    route: { match: { hosts: [HOST, BETA] }, authorize: RULES },
    routes: [
      {
        name: 'planets',
        match: { hosts: [PLANETS] },
        openapi: { file: description },
        authorize: [{ allow: 'look', operations: ['getPlanet', 'getAllData'] }],
      },
    ],
  })

/** Asks. */
export const ask = (
  site: Site,
  { method = 'GET', path, who = ALICE, host = HOST, from, headers = [] }: Case,
  over = http1,
): Promise<Answer> => {
  const target = from === undefined ? site.target : { ...site.target, from }
  return over(target, { host, path, method, headers: [who, ...headers] })
}

/** Asks, and reads in the audit log what was decided. */
export const decisionOn = async (site: Site, one: Case): Promise<DecisionEvent> =>
  await eventOf(site, await ask(site, one))

/** A decision in the words of {@link Case.want}. */
export const verdictIn = ({ status, reason, rule }: DecisionEvent): string =>
  [status, reason, rule].filter((part) => part !== undefined).join(' ')
