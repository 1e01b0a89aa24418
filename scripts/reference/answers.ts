// docs/reference/http-answers.md: statuses by reason, and the forms of bodies, made by the code that answers.

import { PUBLIC_ANSWERS } from '../../src/check/answer/public-answers.ts'
import type { RequestParts } from '../../test/fakes/envoy.ts'
import type { RouteParts } from '../../test/fakes/route.ts'
import { block, table, type ReferencePage } from './markdown.ts'
import { answerTo } from './samples.ts'

const DENY: RouteParts = { rules: [{ deny: 'no-secrets', paths: ['/**'] }] }

interface Form {
  readonly title: string
  readonly text: string
  readonly route: RouteParts
  readonly request: RequestParts
}

const FORMS: readonly Form[] = [
  {
    title: 'Text',
    text: 'The default.',
    route: DENY,
    request: { path: '/secrets/a' },
  },
  {
    title: 'Problem details',
    text: 'Where `Accept` prefers JSON: `application/problem+json` (RFC 9457).',
    route: DENY,
    request: { path: '/secrets/a', headers: [['accept', 'application/json']] },
  },
  {
    title: 'Status of Kubernetes',
    text: 'On routes of `kind: kubernetes`, whatever `Accept` says. kubectl prints its message.',
    route: { kind: 'kubernetes', rules: [{ deny: 'no-secrets', resources: ['secrets'] }] },
    request: { path: '/api/v1/namespaces/dev/secrets/db' },
  },
  {
    title: 'A rule with a response',
    text: 'The status, body and headers of the rule. `{decision}` and `{rule}` in a body are replaced.',
    route: {
      rules: [
        {
          deny: 'maintenance',
          response: {
            status: 503,
            message: 'Maintenance until 18:00.',
            headers: { 'retry-after': '3600' },
          },
        },
      ],
    },
    request: {},
  },
]

/** The page. */
export const answersPage = async (): Promise<ReferencePage> => ({
  file: 'docs/reference/http-answers.md',
  title: 'HTTP answers',
  from: 'src/check/answer/',
  body: [
    'A permitted request gets the response of the upstream. A refused one gets a status by its [reason](reasons.md), which the response does not contain: it names the rule at most.',
    table(
      ['status', 'reasons'],
      [
        ...statuses().map((status) => [String(status), linksFor(status)]),
        ['of the rule', 'A rule with `response` or `redirect` denied the request.'],
      ],
    ),
    'With 401, `WWW-Authenticate` lists the accepted credentials. 429 and 503 have `Retry-After`. On routes of `kind: kubernetes` it is absent for failed attempts, because kubectl would repeat the request ten times, and for faults that last.',
    'On routes with a `session`, navigation gets a page in the user’s language instead, with the same decision id. This applies to 403, 429 and 503 where no rule has a body of its own, and not to `kind: kubernetes`. Without a session, navigation is redirected to the login page with 302.',
    'Each answer has `x-countersign-decision: ID`, also from the upstream. Where authz, the signer or the upstream cannot be reached, Envoy answers by itself with 503 or 504: on routes of `kind: kubernetes` with a `Status`, too, whose message has the `request` of [Envoy’s line](audit-log.md#what-envoy-refuses-itself). (Where kubectl asks what the server has, it prints its own words for 503.)',
    '## Forms of the body',
    ...(await Promise.all(FORMS.map(formSection))),
  ],
})

const statuses = (): readonly number[] =>
  [...new Set(Object.values(PUBLIC_ANSWERS).map(({ status }) => status))].toSorted((a, b) => a - b)

const linksFor = (status: number): string =>
  Object.entries(PUBLIC_ANSWERS)
    .filter(([, answer]) => answer.status === status)
    .map(([reason]) => `[${reason}](reasons.md#${reason})`)
    .join(', ')

const formSection = async ({ title, text, route, request }: Form): Promise<string> => {
  const answer = await answerTo(route, request)
  if (answer.allow) throw new Error(`${title} is permitted`)
  const lines = answer.headers.map(([name, value]) => `${name}: ${value}`)
  const response = [`HTTP/1.1 ${answer.httpStatus}`, ...lines, '', answer.body].join('\n')
  return [`### ${title}`, text, block('text', response)].join('\n\n')
}
