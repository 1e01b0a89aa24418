// `countersign explain`: how each phase evaluates one request. A credential is verified as usual; a given
// identity is not. The request is neither counted nor audited.

import { createReadStream } from 'node:fs'
import { Command, Option } from 'commander'
import { readAudit } from '../../audit/reader.ts'
import type { AccessReviewer, Review } from '../../authorize/authorizer.ts'
import { explain, type Explanation } from '../../tools/explain/explain.ts'
import { explainRecorded } from '../../tools/explain/recorded.ts'
import { buildOffline } from '../../tools/offline.ts'
import { subjectOf } from '../../tools/policy-tests/subject.ts'
import { readDecision, type RecordedDecision } from '../../tools/replay/recorded-event.ts'
import { processResources } from '../../check/resources.ts'
import { buildSnapshot, type Snapshot } from '../../check/snapshot.ts'
import { ConfigurationFiles } from '../../config/files.ts'
import { readRequest } from '../../request/request.ts'
import { systemClock } from '../../runtime/clock.ts'
import { CountersignError, describeError } from '../../runtime/errors.ts'
import { createLogger } from '../../runtime/logger.ts'
import type { CommandContext } from '../context.ts'
import { addRenamedOption, configOption } from '../options.ts'
import { printableJson } from '../printable.ts'
import { reportFailure } from '../report.ts'
import { usageError } from '../usage-error.ts'
import {
  addRequestOptions,
  readAsked,
  saysRequest,
  type Asked,
  type RequestOptions,
} from './request-options.ts'
import { withMaps } from './rules-text.ts'
import { asText } from './text.ts'

interface Options extends RequestOptions {
  readonly decision?: string
  readonly audit?: string
  readonly config: string
  readonly reviewed?: 'yes' | 'no'
  readonly callApiServer?: boolean
  readonly json?: boolean
  readonly all?: boolean
}

const REFUSED = 1
const UNUSABLE = 2

// Longer than a service may take, since a user waits for the result.
const DEADLINE_MS = 60_000

/** The command. */
export const explainCommand = (context: CommandContext): Command =>
  addRenamedOption(addRequestOptions(new Command('explain')), '--ask', '--call-api-server')
    .description(
      'explain how each phase evaluates one request: its route, its authentication, the rule that decides and why other rules do not, and what would be forwarded. A credential is verified as usual, and a directory counts a wrong password; with --user no credential is verified. Prints no credential.',
    )
    .addOption(configOption())
    .addOption(
      new Option(
        '--reviewed <answer>',
        'what the API server answers to `subjectAccessReview`',
      ).choices(['yes', 'no']),
    )
    .option(
      '--call-api-server',
      'call the API server; without it and --reviewed, its answer is not known',
    )
    .option('--decision <id>', 'a decision of the audit log, by the rules of this configuration')
    .option('--audit <file>', 'the audit log to look in (default: that of the configuration)')
    .option('--all', 'every matcher of every rule')
    .option('--json', 'print the explanation as JSON')
    .action(async (words: readonly string[], options: Options) => {
      try {
        context.process.exitCode = await run(context, words, options)
      } catch (cause) {
        reportFailure(context, cause)
        context.process.exitCode = UNUSABLE
      }
    })

const run = async (
  { process }: CommandContext,
  words: readonly string[],
  options: Options,
): Promise<number> => {
  const explanation =
    options.decision === undefined
      ? await explainAsked(await readAsked(options, words, process.stdin), options)
      : await explainDecision(options.decision, words, options)
  const { json = false, all = false } = options
  process.stdout.write(
    json ? `${printableJson(explanation, 2, withMaps)}\n` : asText(explanation, { all }),
  )
  if (explanation.recorded?.undetermined !== undefined) return UNUSABLE
  return explanation.answer.decision === 'allow' ? 0 : REFUSED
}

const explainAsked = async (asked: Asked, options: Options): Promise<Explanation> => {
  // A given identity is not verified, so no key or server is needed.
  if (asked.identity !== undefined && options.callApiServer !== true) {
    await using snapshot = await buildOffline(options.config, new ConfigurationFiles())
    return await explainIn(snapshot, asked, options)
  }
  // Local to this process: an explained request has no effect on lock-outs of the service.
  using resources = processResources(systemClock, createLogger('error'))
  await using snapshot = await buildSnapshot(options.config, new ConfigurationFiles(), resources)
  return await explainIn(snapshot, asked, options)
}

const explainDecision = async (
  id: string,
  words: readonly string[],
  options: Options,
): Promise<Explanation> => {
  if (words.length > 0 || saysRequest(options)) {
    throw usageError('--decision includes the request and the identity: omit their options')
  }
  if (options.callApiServer === true || options.reviewed !== undefined) {
    throw usageError(
      'the log does not contain the answer of the API server: omit --call-api-server and --reviewed',
    )
  }
  await using snapshot = await buildOffline(options.config, new ConfigurationFiles())
  const file = options.audit ?? snapshot.config.audit.file
  if (file === undefined)
    throw usageError('there is no audit log in the configuration: give --audit')
  const { asked, reason } = await findDecision(file, id)
  if (asked === undefined) {
    throw usageError(
      `it was refused before the rules (${reason}), and the log has no further details`,
    )
  }
  return await explainRecorded(asked, snapshot, AbortSignal.timeout(DEADLINE_MS))
}

const findDecision = async (file: string, id: string): Promise<RecordedDecision> => {
  try {
    for await (const line of readAudit(createReadStream(file))) {
      if (line.outcome !== 'read' || line.event['id'] !== id) continue
      const reading = readDecision(line.event)
      if (reading.outcome === 'decision') return reading.decision
      if (reading.outcome === 'malformed') {
        throw usageError(`${file}:${line.line}: ${reading.field} cannot be read`)
      }
    }
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause
    throw new CountersignError('file-unreadable', describeError(cause), { cause })
  }
  // The response has an id nevertheless.
  const summary = 'a refusal of a client that had not authenticated may be in a "refusals-summary"'
  throw usageError(`${file} has no decision ${id}; ${summary}`)
}

const explainIn = async (
  snapshot: Snapshot,
  { attributes, identity, reviewed, at }: Asked,
  options: Options,
): Promise<Explanation> => {
  const { config, routes } = snapshot
  const reading = readRequest(attributes, snapshot)
  const route = reading.outcome === 'read' ? routes.find(reading.request) : undefined
  const subject = subjectOf({ identity }, route, config)
  if (subject.outcome === 'unusable') throw usageError(subject.reason)
  const reviewer =
    options.callApiServer === true ? undefined : givenReview(answerOf(options) ?? reviewed)
  const given = { identity: subject.identity, reviewer, at }
  return await explain(attributes, snapshot, given, AbortSignal.timeout(DEADLINE_MS))
}

const answerOf = ({ reviewed }: Options): boolean | undefined =>
  reviewed === undefined ? undefined : reviewed === 'yes'

/** In place of the API server. */
const givenReview = (allowed: boolean | undefined): AccessReviewer => {
  const review: Review =
    allowed === undefined
      ? {
          outcome: 'unavailable',
          cause: usageError(
            'it was not called: use --call-api-server to call it, or --reviewed to give its answer',
          ),
        }
      : { outcome: 'reviewed', allowed }
  return { review: () => Promise.resolve(review) }
}
