// `audit.sinks` and `audit.spool`: other servers that get the audit log, and how much may wait for them.

import * as z from 'zod'
import { tlsClientSchema } from '../../clients/tls-client-schema.ts'
import {
  addressSchema,
  durationSchema,
  fileSchema,
  isConfidential,
  isLoopback,
  nameSchema,
  pathSchema,
  secretSchema,
} from '../../config/values.ts'

const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/ // RFC 9110 §5.6.2, in lower case
const KILOBYTE = 1_024
const MEGABYTE = 1_024 * KILOBYTE
const GIGABYTE = 1_024 * MEGABYTE
const LOG_AUDIT = 13 // RFC 5424 §6.2.1
const MOST_FACILITY = 23

const tlsSchema = z
  .strictObject({
    ca: fileSchema
      .optional()
      .describe('PEM file: the CAs of the server’s certificate. Default: those that Node trusts.'),
    client: tlsClientSchema.optional(),
    serverName: z
      .string()
      .min(1)
      .optional()
      .describe('The name in the server’s certificate (SNI). Default: the host of the address.'),
  })
  .describe(
    'TLS to the server. The files are read again every 10 s, so a renewed certificate needs no reload.',
  )

const plaintextSchema = z
  .boolean()
  .default(false)
  .describe(
    'Send records without TLS to an address that is not loopback. They contain names and addresses of users.',
  )

const syslog = z
  .strictObject({
    address: addressSchema.describe('`HOST:PORT`, or `unix:PATH` of a stream socket.'),
    tls: tlsSchema
      .optional()
      .describe('RFC 5425. Absent: TCP, for a relay on this machine, or with `plaintext`.'),
    plaintext: plaintextSchema,
    facility: z
      .int()
      .min(0)
      .max(MOST_FACILITY)
      .default(LOG_AUDIT)
      .describe('RFC 5424 §6.2.1. The default is 13, log audit; 10 is authpriv.'),
  })
  .refine(({ address, tls, plaintext }) => tls !== undefined || plaintext || isLoopback(address), {
    path: ['tls'],
    error: 'is required where the address is not loopback, or set "plaintext: true"',
  })
  .describe(
    'A syslog receiver: RFC 5424 messages with octet counting, over TLS (RFC 5425) or TCP (RFC 6587). The message is the line of the log as it is.',
  )

const urlSchema = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .refine((url) => {
    const { username, password, hash } = new URL(url)
    return `${username}${password}${hash}` === ''
  }, 'must be without user and fragment: credentials go into "headers"')

const headersSchema = z
  .record(z.string().regex(HEADER_NAME, 'must be a lower-case header name'), secretSchema)
  .default({})
  .describe(
    'Headers that the server requires, such as `authorization`, each from a file or the environment. Files are read again every 10 s.',
  )

interface HttpTarget {
  readonly url: string
  readonly plaintext: boolean
}

const isAllowed = ({ url, plaintext }: HttpTarget): boolean =>
  plaintext || isConfidential(new URL(url))

const MUST_BE_HTTPS = {
  path: ['url'],
  error: 'must be https where the host is not loopback, or set "plaintext: true"',
}

const http = z
  .strictObject({
    url: urlSchema.describe('Where batches are posted.'),
    format: z
      .enum(['ndjson', 'json', 'cloudevents'])
      .default('ndjson')
      .describe(
        'The body of a batch: `ndjson` is one line for each record (`application/x-ndjson`), `json` an array, `cloudevents` a batch of CloudEvents 1.0 (`application/cloudevents-batch+json`).',
      ),
    headers: headersSchema,
    tls: tlsSchema.optional(),
    plaintext: plaintextSchema,
  })
  .refine(isAllowed, MUST_BE_HTTPS)
  .describe('A server that takes batches by POST, and answers 2xx when it has them.')

const otlp = z
  .strictObject({
    url: urlSchema.describe(
      'The URL of the collector that takes logs, such as `https://otel.example:4318/v1/logs`.',
    ),
    headers: headersSchema,
    tls: tlsSchema.optional(),
    plaintext: plaintextSchema,
  })
  .refine(isAllowed, MUST_BE_HTTPS)
  .describe('An OpenTelemetry collector: OTLP logs over HTTP, in protobuf.')

const batch = z
  .strictObject({
    records: z.int().min(1).max(10_000).default(500).describe('The most records in a batch.'),
    bytes: z
      .int()
      .min(KILOBYTE)
      .max(16 * MEGABYTE)
      .default(MEGABYTE)
      .describe('The most bytes of records in a batch. A longer record is a batch of its own.'),
    every: durationSchema
      .prefault('1s')
      .refine((every) => every >= 10 && every <= 60_000, 'must be 10ms to 1m')
      .describe('How long records are collected while a batch is not full.'),
  })
  .prefault({})
  .describe('When a batch is sent.')

const sink = z
  .strictObject({
    syslog: syslog.optional(),
    http: http.optional(),
    otlp: otlp.optional(),
    process: z
      .enum(['own', 'separate'])
      .default('own')
      .describe(
        'Who sends: `own` is a thread of authz, `separate` is `countersign audit forward`. The signer has no network, so its sinks must be `separate`.',
      ),
    batch,
    timeout: durationSchema
      .prefault('30s')
      .refine((timeout) => timeout >= 1_000 && timeout <= 300_000, 'must be 1s to 5m')
      .describe('How long a batch may take. After that it is sent again.'),
  })
  .refine(
    ({ syslog: one, http: two, otlp: three }) =>
      [one, two, three].filter((kind) => kind !== undefined).length === 1,
    'needs exactly one of "syslog", "http" and "otlp"',
  )
  .describe('A server that gets the audit log.')

/** `audit.sinks`. */
export const sinksSchema = z
  .record(nameSchema, sink)
  .describe(
    'Servers that get every record of the audit file, by name. Records wait in the file and its rotated files until each server has them. A new sink gets the records from the restart on.',
  )

/** `audit.spool`. */
export const spoolSchema = z
  .strictObject({
    maxBytes: z
      .int()
      .min(MEGABYTE)
      .default(GIGABYTE)
      .describe(
        'How many bytes of the audit log may wait for one sink. Rotated files that wait are kept beyond `rotate.keep`.',
      ),
    whenFull: z
      .enum(['refuse', 'drop-oldest'])
      .default('refuse')
      .describe(
        '`refuse`: events cannot be written, so `onAuditFailure` of the route decides, until a sink has taken some. `drop-oldest`: the oldest rotated files beyond `rotate.keep` are deleted; a sink that did not get them misses these records, and `records-skipped` says so.',
      ),
  })
  .prefault({})
  .describe('The bound on what waits for `sinks`.')

/** `audit.sinks`: durations in milliseconds. */
export type SinksConfig = z.output<typeof sinksSchema>
/** One of `audit.sinks`. */
export type SinkConfig = SinksConfig[string]
/** The files that a sink names. */
export const filesOf = ({ syslog: target, http: server, otlp: collector }: SinkConfig) =>
  server ?? collector ?? { tls: target?.tls }

/** `audit.spool`. */
export type SpoolConfig = z.output<typeof spoolSchema>

interface WithSinks {
  readonly file?: unknown
  readonly rotate?: { readonly size?: number | undefined } | undefined
  readonly sinks?: SinksConfig | undefined
  readonly spool?: SpoolConfig | undefined
}

/** What `sinks` need: a file to wait in, and rotation in steps that are small against the bound. */
export const hasSpool = ({ file, rotate, sinks, spool }: WithSinks): boolean =>
  sinks === undefined ||
  (file !== undefined &&
    rotate?.size !== undefined &&
    rotate.size * LEAST_FILES <= (spool?.maxBytes ?? GIGABYTE))

const LEAST_FILES = 4

/** The problem of {@link hasSpool}. */
export const NO_SPOOL = {
  message: `needs "file" and "rotate.size", of at most a quarter of "spool.maxBytes": records wait in these files`,
  path: ['sinks'],
}

/** Whether all sinks are sent to by another process. */
export const areSeparate = ({ sinks = {} }: WithSinks): boolean =>
  Object.values(sinks).every((one) => one.process === 'separate')

/** The problem of {@link areSeparate}. */
export const NOT_SEPARATE = {
  message:
    'must have "process: separate": the signer has no network, `countersign audit forward` sends its log',
  path: ['sinks'],
}

/** What `countersign audit forward` reads of countersign.yaml or signer.yaml. */
export const forwardedSchema = z.looseObject({
  // Not read; by these keys the two are distinguished from other documents.
  authenticators: z.unknown().optional(),
  routes: z.unknown().optional(),
  authorities: z.unknown().optional(),
  audit: z.looseObject({ file: pathSchema, sinks: sinksSchema }),
})
