// `session` of an authenticator: browsers log in at Countersign's authorization server, and remain logged in.

import * as z from 'zod'
import { loginPeriod, upToADay } from '../../config/durations.ts'
import { durationSchema } from '../../config/values.ts'

// RFC 6454 §6.1, in the form that browsers send.
const origin = z
  .string()
  .refine(
    (text) => URL.parse(text)?.origin === text && text.startsWith('https://'),
    'must be an origin such as https://app.example.org, without a path',
  )

/** The `session` section. */
export const sessionSchema = z
  .strictObject({
    idleTimeout: loginPeriod('1h').describe(
      'Idle timeout: users log in again after this time without a request.',
    ),
    maxLifetime: loginPeriod('12h').describe(
      'Maximal lifetime of the session. While the login at the authorization server lasts (`issuer.login.maxLifetime`), a new session needs no interaction.',
    ),
    maxStreamDuration: upToADay('15m').describe(
      'Maximal duration of one request of the session: a WebSocket, a watch, `kubectl exec` in a dashboard, a long download. Envoy then ends it; the client connects again and is checked again. So no request outlives an ended session for longer than this, nor the session’s own end.',
    ),
    cacheTtl: durationSchema
      .prefault('5s')
      .refine((milliseconds) => milliseconds <= 60_000, 'must be at most 1m')
      .describe(
        'For how long a session is cached before it is looked up in `state` again; a session that was ended is accepted for up to this time. `0s`: looked up for every request.',
      ),
    origins: z
      .array(origin)
      .default([])
      .describe(
        'Further origins, such as `https://app.example.org`, whose pages may send unsafe requests and open WebSockets with the session. Pages of the host itself always may; pages of further origins may not.',
      ),
  })
  .describe(
    'Browser sessions, by a cookie that holds a random value only. A navigation without a session is redirected to `issuer.login`; any other request without one gets 401.',
  )

/** The parsed `session`. */
export type SessionConfig = z.output<typeof sessionSchema>
