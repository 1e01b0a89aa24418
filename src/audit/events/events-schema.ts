// Every event of the audit log as a schema: the source of the types, of the JSON Schema and of
// docs/reference/audit-events.md.

import * as z from 'zod'
import { configurationLoadedEvent, configurationRejectedEvent } from './configuration-schema.ts'
import { decisionEvent, refusalsSummaryEvent } from './decision-schema.ts'
import {
  certificateIssuedEvent,
  certificateRefusedEvent,
  refusalsCountedEvent,
} from './issuance-schema.ts'
import { logCheckpointEvent, logOpenedEvent, recordsSkippedEvent } from './log-schema.ts'
import {
  loginEndedEvent,
  loginEvent,
  loginRenewedEvent,
  sessionBeganEvent,
  sessionsEndedEvent,
  tokensIssuedEvent,
} from './login-schema.ts'

/** The events by the process that writes them. */
export const EVENT_SCHEMAS = {
  authz: [
    decisionEvent,
    refusalsSummaryEvent,
    loginEvent,
    tokensIssuedEvent,
    sessionBeganEvent,
    sessionsEndedEvent,
    loginRenewedEvent,
    loginEndedEvent,
    recordsSkippedEvent,
  ],
  signer: [certificateIssuedEvent, certificateRefusedEvent, refusalsCountedEvent],
  both: [configurationLoadedEvent, configurationRejectedEvent, logOpenedEvent, logCheckpointEvent],
} as const

/** What each line has besides the fields of its event. */
export const lineKeys = {
  log: z.literal('audit').describe('Distinguishes audit lines in a shared stream.'),
  time: z.string().describe('RFC 3339, UTC, with milliseconds.'),
  chain: z
    .string()
    .optional()
    .describe('The id of the hash chain: one writer, over its restarts and all its files.'),
  seq: z.int().optional().describe('The number of the record in its chain, counted from 1.'),
  hash: z
    .string()
    .optional()
    .describe(
      'SHA-256, base64url, of the bytes of the line before `,"hash"`, followed by the `hash` of the record before (nothing before the first). Always the last field.',
    ),
}

/** A line of the audit log. */
export const auditLineSchema = z
  .discriminatedUnion('event', [
    decisionEvent.extend(lineKeys),
    refusalsSummaryEvent.extend(lineKeys),
    loginEvent.extend(lineKeys),
    tokensIssuedEvent.extend(lineKeys),
    sessionBeganEvent.extend(lineKeys),
    sessionsEndedEvent.extend(lineKeys),
    loginRenewedEvent.extend(lineKeys),
    loginEndedEvent.extend(lineKeys),
    certificateIssuedEvent.extend(lineKeys),
    certificateRefusedEvent.extend(lineKeys),
    refusalsCountedEvent.extend(lineKeys),
    configurationLoadedEvent.extend(lineKeys),
    configurationRejectedEvent.extend(lineKeys),
    logOpenedEvent.extend(lineKeys),
    logCheckpointEvent.extend(lineKeys),
    recordsSkippedEvent.extend(lineKeys),
  ])
  .describe('A line of the audit log of authz or of the signer.')
