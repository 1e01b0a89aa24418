// An explanation as text: a block for each phase, with its result in the first line and details below.

import { DECISION_REASONS } from '../../audit/reasons/reasons.ts'
import type { Explanation } from '../../tools/explain/explain.ts'
import type { Reason } from '../../audit/event.ts'
import type { PhaseOutcome } from '../../tools/explain/outcome.ts'
import { blocksAsText, joined, rowsAsLines, type Row } from '../format.ts'
import { outcomeText } from '../replay/text.ts'
import { UNDETERMINED_BECAUSE } from '../replay/undetermined.ts'
import { ruleLines, shown } from './rules-text.ts'

/** How detailed the text is. */
export interface TextOptions {
  /** Every matcher of every rule. */
  readonly all: boolean
}

/** The explanation as lines of text, safe for a terminal. */
export const asText = (explanation: Explanation, options: TextOptions): string => {
  return blocksAsText([
    requestBlock(explanation),
    routeBlock(explanation),
    targetBlock(explanation),
    authenticateBlock(explanation),
    identityBlock(explanation),
    authorizeBlock(explanation, options),
    transformBlock(explanation),
    recordedBlock(explanation),
    answerBlock(explanation),
  ])
}

const WIDTH = 14

const words = (outcome: string): string => outcome.replaceAll('-', ' ')

const headline = (phase: string, outcome: PhaseOutcome, ...more: (string | undefined)[]): string =>
  joined([phase.padEnd(WIDTH) + words(outcome), ...more], '  ')

const rows = (pairs: readonly Row[]): readonly string[] =>
  rowsAsLines(pairs, { indent: 2, width: WIDTH - 2 })

const requestBlock = ({ request }: Explanation): readonly string[] => {
  const { outcome, code, method, host, path, query, source, headers, certificate, notes } = request
  return [
    headline('request', outcome, code),
    ...rows([
      ['method', method],
      ['host', host],
      ['path', path],
      ['query', query],
      ['source', source === '' ? 'not known' : source],
      ['headers', headers.length === 0 ? '' : `${headers.join(', ')} (values are not shown)`],
      ['certificate', certificate ? 'presented by the client' : ''],
      ...notes.map((note) => ['note', note] as const),
    ]),
  ]
}

const routeBlock = ({ route }: Explanation): readonly string[] => {
  const { outcome, name, by, routes, ambiguousWith } = route
  const reached = routes.filter((look) => look.outcome !== 'not-reached')
  const left = routes.length - reached.length
  return [
    headline('route', outcome, name, by === 'envoy' ? '(named by Envoy)' : undefined),
    ...rows(
      reached.map((look) => [
        words(look.outcome),
        look.missed === undefined
          ? look.name
          : `${look.name}  ${look.missed}: wanted ${shown(look.wanted)}, got ${shown(look.got)}`,
      ]),
    ),
    ...rows([
      ['not reached', left === 0 ? '' : `${left} more`],
      ['ambiguous', ambiguousWith && `it could be a path of ${ambiguousWith}: refused`],
    ]),
  ]
}

/** Only where a service has words of its own, or refused to read. */
const targetBlock = ({ target }: Explanation): readonly string[] => {
  const { outcome, code, kubernetes, operation } = target
  if (outcome === 'not-reached') return []
  if (code === undefined && kubernetes === undefined && operation === undefined) return []
  const impersonation = kubernetes?.impersonation
  return [
    headline('requested', outcome, code),
    ...rows([
      ...(['verb', 'apiGroup', 'apiVersion', 'namespace', 'resource'] as const).map(
        (key) => [key, kubernetes?.[key]] as const,
      ),
      ['subresource', kubernetes?.subresource],
      ['name', kubernetes?.name],
      ['as user', impersonation?.user],
      ['as groups', impersonation?.groups.join(', ')],
      ['operation', operation && `${operation.id} (${operation.method} ${operation.template})`],
    ]),
  ]
}

const authenticateBlock = ({ authenticate }: Explanation): readonly string[] => {
  const { outcome, given, links, code } = authenticate
  const block = [headline('authenticate', outcome, given ? 'given, not verified' : code)]
  if (given || outcome === 'not-reached') return block
  const looks = links.map(({ name, outcome: said, code: why, claimedUser, detail }) => {
    const hit = said === 'authenticated' ? 'hit' : said === 'not-reached' ? words(said) : 'miss'
    const result = said === 'authenticated' || said === 'not-reached' ? '' : words(said)
    const user = claimedUser === undefined ? undefined : `claimed to be ${shown(claimedUser)}`
    return [hit, [name, result, why, user, detail].filter(Boolean).join('  ')] as const
  })
  return [...block, ...rows(looks)]
}

const identityBlock = ({ identity: phase }: Explanation): readonly string[] => {
  const { outcome, code, detail, identity } = phase
  const block = [headline('identity', outcome, code, detail)]
  if (identity === undefined) return block
  const { user, uid, groups, groupsOmitted, extra, authenticator, method, expires, claims } =
    identity
  const cut = groupsOmitted === undefined ? '' : ` (and ${groupsOmitted} that were cut off)`
  return [
    ...block,
    ...rows([
      ['user', user],
      ['uid', uid],
      ['groups', groups.length === 0 ? 'none' : groups.join(', ') + cut],
      ...Object.entries(extra).map(
        ([key, values]) => [`extra`, `${key}: ${values.join(', ')}`] as const,
      ),
      ['proven by', `${authenticator} (${method})`],
      ['expires', expires],
      ['claims', claims === undefined ? '' : `${claims.join(', ')} (values are not shown)`],
    ]),
  ]
}

const authorizeBlock = ({ authorize }: Explanation, { all }: TextOptions): readonly string[] => {
  const { outcome, verdict, rule, rules, review, scopes, detail } = authorize
  const why = verdict === undefined || verdict === 'permit' ? undefined : words(verdict)
  return [
    headline('authorize', outcome, rule === undefined ? undefined : `rule "${rule}"`, why),
    ...(outcome === 'not-reached' ? [] : ruleLines(rules, { all })),
    ...rows([
      ['API server', review === undefined ? '' : `called: ${review}`],
      ['scopes', scopes === undefined ? '' : `missing: ${scopes.join(', ')}`],
      ['because', detail],
    ]),
  ]
}

const transformBlock = ({ transform }: Explanation): readonly string[] => {
  const { outcome, code, set, remove, certificate, tokens = [] } = transform
  return [
    headline('transform', outcome, code),
    ...rows([
      ...set.flatMap(({ name, values }) =>
        values.map((value) => ['set', `${name}: ${value}`] as const),
      ),
      ...tokens.map(
        ({ header, claims }) => ['token', `${header} says ${JSON.stringify(claims)}`] as const,
      ),
      ...remove.map((name) => ['remove', name] as const),
      [
        'certificate',
        certificate === undefined ? '' : `a client certificate, handle ${certificate}`,
      ],
      ['', outcome === 'hit' && set.length + remove.length === 0 ? 'nothing is changed' : ''],
    ]),
  ]
}

const recordedBlock = ({ recorded }: Explanation): readonly string[] => {
  if (recorded === undefined) return []
  const { before, undetermined } = recorded
  const now =
    undetermined === undefined ? 'as below' : `not known: ${UNDETERMINED_BECAUSE[undetermined]}`
  return [
    'then and now',
    ...rows([
      ['then', outcomeText(before)],
      ['now', now],
    ]),
  ]
}

const answerBlock = ({ answer, recorded }: Explanation): readonly string[] => {
  // Only the gaps of the log led to it.
  if (recorded?.undetermined !== undefined) return []
  const { decision, reason, rule, status, headers, body, detail } = answer
  const by = rule === undefined ? '' : ` by "${rule}"`
  return [
    `${'answer'.padEnd(WIDTH)}${decision === 'allow' ? 'allowed' : `refused  ${status}`}  ${reason}${by}`,
    ...rows([
      ['because', detail],
      ...(decision === 'deny' ? reasonRows(reason) : []),
      ...headers.map(([name, value]) => ['header', `${name}: ${value}`] as const),
      ...(body ?? '').split('\n').map((line) => ['body', line] as const),
    ]),
  ]
}

const reasonRows = (reason: Reason): readonly Row[] => {
  const { cause, remedy } = DECISION_REASONS[reason]
  return [
    ['cause', cause],
    ['remedy', remedy],
  ]
}
