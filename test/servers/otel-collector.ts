// A real OpenTelemetry collector (`otel-collector/`), which writes what it gets to a file.

import { readFile, writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { once } from 'node:events'
import { stringify } from 'yaml'
import { z } from 'zod'
import { Daemon } from './daemon.ts'
import { goProgram, skipWithoutGoProgram } from './go-program.ts'
import { freePort } from './ports.ts'
import { temporaryFolder } from './temporary.ts'

/** A span as the collector got it. */
export interface CollectedSpan {
  readonly service: string
  readonly traceId: string
  readonly spanId: string
  /** Empty for the first of a trace. */
  readonly parentSpanId: string
  readonly name: string
  /** The traces that it is linked to. */
  readonly links: readonly { readonly traceId: string }[]
  readonly attributes: Readonly<Record<string, string>>
  readonly hasFailed: boolean
}

/** A log record as the collector got it. */
interface CollectedLog {
  readonly service: string
  readonly body: string
  readonly eventName: string
  readonly timeUnixNano: string
  readonly attributes: Readonly<Record<string, string>>
}

/** A running collector. */
export interface OtelCollector extends AsyncDisposable {
  /** OTLP over HTTP: the URL for traces. */
  readonly httpEndpoint: string
  /** OTLP over HTTP: the URL for logs. */
  readonly logsEndpoint: string
  /** OTLP over gRPC. */
  readonly grpcEndpoint: string
  /** All spans so far. */
  spans(): Promise<readonly CollectedSpan[]>
  /** All log records so far. */
  logs(): Promise<readonly CollectedLog[]>
  /** Ends it; nothing listens on its ports then. */
  stop(): Promise<void>
  start(): Promise<void>
}

const PROGRAM = goProgram('otel-collector')

/** For `skip` of node:test. */
export const skipWithoutOtelCollector = (): string | false => skipWithoutGoProgram(PROGRAM)

/** Starts a collector. */
export const startOtelCollector = async (): Promise<OtelCollector> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const file = folder.file('spans.jsonl')
  const logs = folder.file('logs.jsonl')
  const [http, grpc] = [await freePort(), await freePort()]
  await writeFile(folder.file('collector.yaml'), configuration(http, grpc, { file, logs }))
  const daemon = stack.use(
    new Daemon({
      command: PROGRAM,
      args: ['--config', folder.file('collector.yaml')],
      async probe() {
        using socket = new DisposableSocket()
        socket.connect(http, '127.0.0.1')
        await once(socket, 'connect')
      },
    }),
  )
  await daemon.start()
  const running = stack.move()
  return {
    httpEndpoint: `http://127.0.0.1:${http}/v1/traces`,
    logsEndpoint: `http://127.0.0.1:${http}/v1/logs`,
    grpcEndpoint: `http://127.0.0.1:${grpc}`,
    spans: async () => spansIn(await readFile(file, 'utf8').catch(() => '')),
    logs: async () => logsIn(await readFile(logs, 'utf8').catch(() => '')),
    stop: () => daemon.kill(),
    start: () => daemon.start(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

class DisposableSocket extends Socket {
  [Symbol.dispose](): void {
    this.destroy()
  }
}

const configuration = (
  http: number,
  grpc: number,
  { file, logs }: { readonly file: string; readonly logs: string },
): string =>
  stringify({
    receivers: {
      otlp: {
        protocols: {
          http: { endpoint: `127.0.0.1:${http}` },
          grpc: { endpoint: `127.0.0.1:${grpc}` },
        },
      },
    },
    exporters: {
      file: { path: file, flush_interval: '50ms' },
      'file/logs': { path: logs, flush_interval: '50ms', append: true },
    },
    service: {
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['file'] },
        logs: { receivers: ['otlp'], exporters: ['file/logs'] },
      },
    },
  })

// opentelemetry-proto, trace/v1, in its JSON form.
const keyValue = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) })
const request = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: z.array(keyValue) }),
      scopeSpans: z.array(
        z.object({
          spans: z.array(
            z.object({
              traceId: z.string(),
              spanId: z.string(),
              parentSpanId: z.string().default(''),
              name: z.string(),
              links: z.array(z.object({ traceId: z.string() })).default([]),
              attributes: z.array(keyValue).default([]),
              status: z.object({ code: z.number().optional() }).default({}),
            }),
          ),
        }),
      ),
    }),
  ),
})

const logsRequest = z.object({
  resourceLogs: z.array(
    z.object({
      resource: z.object({ attributes: z.array(keyValue) }),
      scopeLogs: z.array(
        z.object({
          logRecords: z.array(
            z.object({
              body: z.object({ stringValue: z.string() }),
              eventName: z.string().default(''),
              timeUnixNano: z.string(),
              attributes: z.array(keyValue).default([]),
            }),
          ),
        }),
      ),
    }),
  ),
})

const logsIn = (lines: string): readonly CollectedLog[] =>
  lines
    .split('\n')
    .slice(0, -1) // without what is being written
    .flatMap((line) => logsRequest.parse(JSON.parse(line)).resourceLogs)
    .flatMap(({ resource, scopeLogs }) => {
      const service = recordOf(resource.attributes)['service.name'] ?? ''
      return scopeLogs
        .flatMap(({ logRecords }) => logRecords)
        .map(({ body, attributes, ...log }) => ({
          ...log,
          service,
          body: body.stringValue,
          attributes: recordOf(attributes),
        }))
    })

const STATUS_ERROR = 2

const recordOf = (attributes: readonly z.output<typeof keyValue>[]): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]))

const spansIn = (lines: string): readonly CollectedSpan[] =>
  lines
    .split('\n')
    .slice(0, -1) // without what is being written
    .flatMap((line) => request.parse(JSON.parse(line)).resourceSpans)
    .flatMap(({ resource, scopeSpans }) => {
      const service = recordOf(resource.attributes)['service.name'] ?? ''
      return scopeSpans
        .flatMap(({ spans }) => spans)
        .map(({ attributes, status, ...span }) => ({
          ...span,
          service,
          attributes: recordOf(attributes),
          hasFailed: status.code === STATUS_ERROR,
        }))
    })
