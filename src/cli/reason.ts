// `countersign reason`: what a reason code of the audit log means, and what to do about it.

import { Argument, Command } from 'commander'
import { explainReason, reasonCodes, type ExplainedReason } from '../audit/reasons/reasons.ts'
import { PUBLIC_ANSWERS } from '../check/answer/public-answers.ts'
import type { CommandContext } from './context.ts'
import { blocksAsText, linesAsText, rowsAsLines } from './format.ts'
import { usageError } from './usage-error.ts'

const HELP = `
Examples:
  countersign reason token-audience
  countersign reason              # lists all codes`

const WIDTH = 10

/** The command. */
export const reasonCommand = (context: CommandContext): Command =>
  new Command('reason')
    .description(
      'explain a reason code of the audit log, of an error response or of `explain`: its cause and the remedy',
    )
    .addArgument(new Argument('[code]', 'such as token-audience; without it, all codes are listed'))
    .addHelpText('after', HELP)
    .action((code: string | undefined) => {
      const { stdout } = context.process
      if (code === undefined) {
        stdout.write(linesAsText(reasonCodes()))
        return
      }
      const found = explainReason(code)
      if (found.length === 0) {
        throw usageError(`"${code}" is not a reason code; "countersign reason" lists all of them`)
      }
      stdout.write(blocksAsText(found.map((reason) => linesOf(code, reason))))
    })

const PLACES = {
  decision: 'in decisions of authz',
  login: 'in logins at the issuer',
  issuance: 'in refusals of the signer',
} as const satisfies Readonly<Record<ExplainedReason['of'], string>>

const linesOf = (
  code: string,
  { of: place, cause, remedy }: ExplainedReason,
): readonly string[] => [
  `${code}  ${PLACES[place]}`,
  ...rowsAsLines(
    [['cause', cause], ['remedy', remedy], ...(place === 'decision' ? publicRows(code) : [])],
    { indent: 2, width: WIDTH },
  ),
]

const publicRows = (code: string): readonly (readonly [string, string])[] => {
  const answer = Object.entries(PUBLIC_ANSWERS).find(([reason]) => reason === code)?.[1]
  return answer === undefined
    ? []
    : [
        ['status', String(answer.status)],
        ['response', answer.text],
      ]
}
