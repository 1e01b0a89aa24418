// `countersign debug`: follows checks and logins on a running authz, with what each phase concluded.

import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { Command, Option } from 'commander'
import * as z from 'zod'
import { FOLLOW_PATH } from '../check/follow-listener.ts'
import { addressSchema, durationSchema, formatAddress, type Address } from '../config/values.ts'
import { CountersignError, describeError } from '../runtime/errors.ts'
import type { CommandContext } from './context.ts'
import { joined, linesAsText } from './format.ts'
import { parsed } from './options.ts'
import { printableJson } from './printable.ts'

interface Options {
  readonly socket: Address
  readonly user?: string
  readonly route?: string
  readonly source?: string
  readonly for: number
  readonly json?: true
}

const ABOUT = `
Prints each check and each request to the issuer when it has ended: its phases, what they concluded, and
the requests to other servers, with their durations. It needs "listen.debug" in countersign.yaml, a UNIX
socket, and works without a restart and without "log: { level: debug }". Checks cost authz some more
time while they are followed.

--user finds users by the name that they have after the mapping, and attempts by the name that was
typed. No credential is printed, nor a query.`

/** The command. */
export const debugCommand = (context: CommandContext): Command =>
  new Command('debug')
    .description('follow checks on a running authz, phase by phase')
    .addOption(
      new Option('--socket <address>', 'the socket of "listen.debug": unix:PATH')
        .env('COUNTERSIGN_DEBUG_SOCKET')
        .argParser((value) => parsed(addressSchema, value))
        .default(
          addressSchema.parse('unix:/run/countersign/debug.sock'),
          'unix:/run/countersign/debug.sock',
        ),
    )
    .option('-u, --user <name>', 'only checks of this user')
    .option('-r, --route <name>', 'only checks of this route')
    .option(
      '-s, --source <network>',
      'only checks from an address or network: 10.1.2.3, 10.0.0.0/8',
    )
    .addOption(
      new Option('--for <duration>', 'how long to follow')
        .argParser((value) => parsed(durationSchema, value))
        .default(durationSchema.parse('5m'), '5m'),
    )
    .option('--json', 'print JSON, one request per line')
    .addHelpText('after', ABOUT)
    .action((options: Options) => follow(options, context))

const follow = async (options: Options, { process, console }: CommandContext): Promise<void> => {
  const { socket, user, route, source, json } = options
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ user, route, source })) {
    if (value !== undefined) query.set(name, value)
  }
  const end = AbortSignal.timeout(options.for)
  const response = await open(socket, query, end)
  console.error(
    `Following until ${new Date(Date.now() + options.for).toLocaleTimeString()}, or Ctrl-C`,
  )
  try {
    for await (const line of createInterface(response)) {
      if (line === '') continue
      const value: unknown = JSON.parse(line)
      process.stdout.write(
        json === true
          ? `${printableJson(value)}\n`
          : linesAsText(linesOf(requestSchema.parse(value))),
      )
    }
    throw new CountersignError(
      'unavailable',
      `${formatAddress(socket)}: authz closed the connection`,
    )
  } catch (cause) {
    if (!end.aborted) throw cause
  }
}

const open = async (
  socket: Address,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<IncomingMessage> => {
  const where = formatAddress(socket)
  if (socket.kind !== 'unix') {
    throw new CountersignError('usage', `${where} must be unix:PATH, as "listen.debug" is`)
  }
  const path = `${FOLLOW_PATH}?${query.toString()}`
  const sent = request({ socketPath: socket.path, path, headers: { host: 'authz' }, signal })
  sent.end()
  try {
    const [response]: IncomingMessage[] = await once(sent, 'response')
    if (response === undefined) throw new Error('no answer')
    if (response.statusCode === 200) return response
    throw new Error((await text(response)).trim())
  } catch (cause) {
    const message = `${where}: ${describeError(cause)}. Is "listen.debug" set, and may this user write to the socket?`
    throw new CountersignError('unavailable', message, { cause })
  }
}

const texts = z.record(z.string(), z.string())
const partSchema = z.object({
  name: z.string(),
  duration: z.number(),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  notes: texts,
  failure: z.string().optional(),
  get parts() {
    return z.array(partSchema)
  },
})
const requestSchema = partSchema.extend({ at: z.string(), omittedBefore: z.number().optional() })

type Part = z.output<typeof partSchema>

const NAME_WIDTH = 16

const linesOf = ({ at, omittedBefore, ...part }: z.output<typeof requestSchema>): string[] => [
  ...(omittedBefore === undefined ? [] : [`(${omittedBefore} requests are left out)`]),
  joined([at.slice(11, 23), ...headOf(part)], '  '),
  ...part.parts.flatMap((inner) => partLines(inner, 1)),
  '',
]

const headOf = ({ attributes, notes, duration, name }: Part): (string | undefined)[] => {
  const decision = attributes['countersign.decision']
  const method = attributes['http.request.method']
  return [
    decision === undefined ? name : `${decision} ${attributes['countersign.reason']}`,
    decision === undefined
      ? undefined
      : `${method ?? ''} ${notes['host'] ?? ''}${notes['path'] ?? ''}`,
    notes['user'] === undefined ? undefined : `user ${notes['user']}`,
    notes['source'] === undefined ? undefined : `from ${notes['source']}`,
    milliseconds(duration),
    decision === undefined ? undefined : `decision ${attributes['countersign.decision.id']}`,
  ]
}

const partLines = (part: Part, depth: number): string[] => {
  const { name, duration, attributes, notes, failure } = part
  const label = `${'  '.repeat(depth)}${name}`.padEnd(NAME_WIDTH)
  const server = attributes['countersign.server']
  const conclusion = joined(
    [notes['conclusion'], server?.toString(), failure && `failed: ${failure}`],
    '; ',
  )
  return [
    joined([label, milliseconds(duration).padStart(10), conclusion], ' '),
    ...part.parts.flatMap((inner) => partLines(inner, depth + 1)),
  ]
}

const milliseconds = (duration: number): string => `${duration.toFixed(duration < 10 ? 2 : 0)} ms`
