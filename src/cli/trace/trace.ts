// `countersign trace`: one id → all records of its request, from every log.

import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { isAlarming, isEmpty, correlate, type Trace } from '../../tools/trace/report.ts'
import { trace, type UnreadLine } from '../../tools/trace/tracer.ts'
import type { CommandConsole, CommandContext } from '../context.ts'
import { counted } from '../format.ts'
import { logChunks } from '../../audit/log-chunks.ts'
import { printable, printableJson } from '../printable.ts'
import { startProgress, withProgress } from '../progress.ts'
import { reportFailure } from '../report.ts'
import { usageError } from '../usage-error.ts'
import { traceText } from './text.ts'

interface Options {
  readonly audit: readonly string[]
  readonly issuance: readonly string[]
  readonly kubeAudit: readonly string[]
  readonly envoyLog: readonly string[]
  readonly limit: number
  readonly json?: boolean
}

const NOTHING_FOUND = 1
const UNUSABLE = 2
const DIFFERS = 3

// Ids of further uses of a credential: some 20 MB.
const MAX_USES = 100_000
const MAX_COMPLAINTS = 10

const AFTERWORD = `
ID is one of: the id of a decision (x-countersign-decision of the response, or the auditID of a Kubernetes
API server, which is equal when the route has "auditId"); an x-request-id; the jti of a received or issued
token; the id of a login, a session or an API key; the fingerprint (SHA-256; also AB:CD:…) or the serial
number of a certificate, or its handle; for refusals by Envoy and summaries of refusals, the source
address. JTI=… and X509SHA256=…, as the API server writes them (credential-id), are accepted.

Each decision is reported in order of time: the user and credential, the decision and its reason, what was
forwarded, the certificate of the signer, and the request at the API server. A line begins with !!! when
the API server saw another user, group, verb, resource or credential than was decided, when it received a
refused request, or when it received requests with a token or certificate of Countersign that have no
decision in the logs.

  countersign trace 0b2c… --audit audit.jsonl* --issuance issued.jsonl* --kube-audit kube-audit.log
  countersign trace X509SHA256=9f86… --audit audit.jsonl --issuance issued.jsonl --kube-audit audit-*.log.gz

Files may be compressed with gzip, of any size, in any order, and of several replicas. Each is read several
times, so standard input and pipes are not supported. Unreadable lines that contain the id are reported.

With --json, one object per line: {"kind":"report", "decision", "issued", "refused", "failures", "seen",
"differences", "notes"} for each decision, {"kind": one of "login", "failure", "refusals-summary", "issued", "refused", "undecided", "unaccounted",
"likely", "record"} for events without a decision, {"kind":"unreadable", "file", "line", "why"}, and
{"kind":"summary", "id", "found", "agrees", "cut", "searched"} at the end.`

/** The command. */
export const traceCommand = (context: CommandContext): Command =>
  new Command('trace')
    .description(
      'correlate the logs of one request: the caller, the decision, what was issued and forwarded, and whether the API server logged the same',
    )
    .argument('<id>', 'of the decision, the request, the token or the certificate')
    .option('--audit <files...>', 'audit logs of authz', [])
    .option('--issuance <files...>', 'audit logs of signers', [])
    .option('--envoy-log <files...>', 'what Envoy refused by itself (envoy.accessLog)', [])
    .option('--kube-audit <files...>', 'audit logs of Kubernetes API servers (JSON)', [])
    .option('--limit <count>', 'how many decisions to tell of', wholeNumber, 100)
    .option('--json', 'print JSON lines')
    .addHelpText('after', AFTERWORD)
    .action(async (id: string, options: Options) => {
      try {
        context.process.exitCode = await run(context, id, options)
      } catch (cause) {
        reportFailure(context, cause)
        context.process.exitCode = UNUSABLE
      }
    })

const wholeNumber = (text: string): number => {
  if (!/^[1-9]\d{0,4}$/.test(text)) {
    throw new InvalidArgumentError('It must be a whole number from 1 to 99999.')
  }
  return Number(text)
}

const run = async (context: CommandContext, id: string, options: Options): Promise<number> => {
  const { audit, issuance, envoyLog, kubeAudit: kubernetes, limit, json = false } = options
  const ours = [...audit, ...issuance, ...envoyLog]
  if (id.trim() === '') throw usageError('the id is empty')
  if (ours.length + kubernetes.length === 0) {
    throw usageError('name a log: --audit, --issuance, --envoy-log, --kube-audit')
  }
  await Promise.all([...ours, ...kubernetes].map(refuseUnlessFile))
  using progress = startProgress(context, 'searching')
  const open = (file: string) => withProgress(logChunks(file, context.process.stdin), progress)
  const logs = { ours: [...new Set(ours)], kubernetes: [...new Set(kubernetes)], open }
  const found = await trace(id, logs, { reports: limit, uses: MAX_USES })
  progress.end()
  const correlated = correlate(found, kubernetes.length > 0)
  const searched = { audit, issuance, envoyLog, kubeAudit: kubernetes }
  if (json) printJson(context, id, correlated, searched)
  else printText(context, id, correlated, [...ours, ...kubernetes])
  if (isEmpty(correlated)) return NOTHING_FOUND
  return isAlarming(correlated) ? DIFFERS : 0
}

/** What can be read once only would seem empty the second time. */
const refuseUnlessFile = async (file: string): Promise<void> => {
  const status = file === '-' ? undefined : await stat(resolve(file)).catch(() => undefined)
  // A missing file is reported when it is opened.
  if (file === '-' || (status !== undefined && !status.isFile())) {
    throw usageError(
      `${file} is not a regular file, and must be read more than once: copy it to one`,
    )
  }
}

const printText = (
  { process, console }: CommandContext,
  id: string,
  correlated: Trace,
  searched: readonly string[],
): void => {
  complain(console, correlated.unread)
  if (!isEmpty(correlated)) return void process.stdout.write(traceText(correlated))
  const where = `looked in ${counted(searched.length, 'file')}: ${searched.join(', ')}`
  console.error(printable(`countersign: nothing is found of ${id}; ${where}. ${SUMMARISED}`))
}

// The answer that the caller got has an id all the same.
const SUMMARISED =
  'A refusal of a client that had not authenticated may be counted in a "refusals-summary", without its id'

const complain = (console: CommandConsole, unread: readonly UnreadLine[]): void => {
  for (const { file, line, why } of unread.slice(0, MAX_COMPLAINTS)) {
    console.error(printable(`${file}:${line}: ${why}`))
  }
  const more = unread.length - MAX_COMPLAINTS
  if (more > 0) console.error(`and ${more} more lines that cannot be read`)
}

const printJson = (
  { process }: CommandContext,
  id: string,
  correlated: Trace,
  searched: object,
): void => {
  const { reports, unread, cut, ...loose } = correlated
  const lines: readonly object[] = [
    ...reports.map((report) => ({ kind: 'report', ...report })),
    ...Object.entries(loose).flatMap(([kind, records]: [string, readonly object[]]) =>
      records.map((record) => ({ kind: LOOSE[kind] ?? kind, record })),
    ),
    ...unread.map((line) => ({ kind: 'unreadable', ...line })),
    {
      kind: 'summary',
      id,
      found: !isEmpty(correlated),
      agrees: !isAlarming(correlated),
      cut,
      searched,
    },
  ]
  process.stdout.write(lines.map((line) => `${printableJson(line)}\n`).join(''))
}

const LOOSE: Readonly<Record<string, string>> = {
  logins: 'login',
  failures: 'failure',
  summaries: 'refusals-summary',
}
