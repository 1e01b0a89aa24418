// docs/reference/reasons.md: each reason code with its cause and remedy.

import type { ReasonExplanation } from '../../src/audit/reasons/explanation.ts'
import {
  DECISION_REASON_GROUPS,
  ISSUANCE_REASONS,
  LOGIN_REASONS,
} from '../../src/audit/reasons/reasons.ts'
import { PUBLIC_ANSWERS } from '../../src/check/answer/public-answers.ts'
import type { ReferencePage } from './markdown.ts'

type Reasons = Readonly<Record<string, ReasonExplanation>>

/** The page. */
export const reasonsPage = (): ReferencePage => ({
  file: 'docs/reference/reasons.md',
  title: 'Reason codes',
  from: 'src/audit/reasons/',
  body: [
    'Each decision in the [audit log](audit-log.md) has a `reason`, and so have refused logins and certificates. `countersign reason CODE` prints the same as this page; `countersign explain` and `countersign trace` print the cause or the remedy of a refusal. The status is that of the response, which contains the quoted sentence, but never the code.',
    ...DECISION_REASON_GROUPS.flatMap(({ title, reasons }) => section(title, reasons)),
    '## Logins',
    'A refused login has one of the reasons above, or one of these. The first two are a `reason` of `login`, the further ones a `detail` of `login-ended`.',
    ...entries(LOGIN_REASONS),
    '## Certificates of the signer',
    'The `reason` of `certificate-refused`. Envoy cannot complete the TLS handshake with the upstream then, and the caller gets a 503 of Envoy.',
    ...entries(ISSUANCE_REASONS, { suffix: isDecision }),
  ],
})

const isDecision = (code: string): boolean =>
  DECISION_REASON_GROUPS.some(({ reasons }) => Object.hasOwn(reasons, code))

const section = (title: string, reasons: Reasons): readonly string[] => [
  `## ${title}`,
  ...entries(reasons),
]

/** @param suffix where the same code is a heading above */
const entries = (
  reasons: Reasons,
  { suffix = () => false }: { suffix?: (code: string) => boolean } = {},
): readonly string[] =>
  Object.entries(reasons).flatMap(([code, { cause, remedy }]) => [
    `### ${code}${suffix(code) ? ' (signer)' : ''}`,
    [...answerOf(suffix(code) ? '' : code), `**Cause:** ${cause}`, `**Remedy:** ${remedy}`].join(
      '\n\n',
    ),
  ])

const answerOf = (code: string): readonly string[] => {
  const answer = Object.entries(PUBLIC_ANSWERS).find(([reason]) => reason === code)?.[1]
  return answer === undefined ? [] : [`Status ${answer.status}: “${answer.text}”`]
}
