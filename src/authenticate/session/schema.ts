// `session` of an authenticator: browsers log in at our authorization server, and stay logged in.

import { z } from 'zod'
import { durationSchema } from '../../config/values.ts'

const period = (fallback: string) =>
  durationSchema
    .prefault(fallback)
    .refine((milliseconds) => milliseconds >= 60_000, 'must be 1m or longer')

// RFC 6454 §6.1, as browsers write it.
const origin = z
  .string()
  .refine(
    (text) => URL.parse(text)?.origin === text && text.startsWith('https://'),
    'must be an origin such as https://app.example.org, without a path',
  )

/** The `session` section. */
export const sessionSchema = z
  .strictObject({
    idle: period('1h').describe('After so long without a request people log in again.'),
    longest: period('12h').describe(
      'After so long they log in again in any case. Without a question, where the session at the authorization server (`issuer.login.longest`) goes on.',
    ),
    stream: durationSchema
      .prefault('15m')
      .refine(
        (milliseconds) => milliseconds >= 1_000 && milliseconds <= 86_400_000,
        'must be 1s to 24h',
      )
      .describe(
        'After so long Envoy ends a request of the session, whatever it is: a WebSocket, a watch, `kubectl exec` in a dashboard, a long download. The client connects again and is judged again, so nothing that an ended session began goes on for longer. A request never outlives the session itself either.',
      ),
    remember: durationSchema
      .prefault('5s')
      .refine((milliseconds) => milliseconds <= 60_000, 'must be at most 1m')
      .describe(
        'For how long a session is not looked up again in `state`; a session that was ended is good for so long still. `0s` looks it up for every request.',
      ),
    origins: z
      .array(origin)
      .default([])
      .describe(
        'Further origins, such as `https://app.example.org`, whose pages may change something and open WebSockets by the session. Pages of the host itself always may, all others never.',
      ),
  })
  .describe(
    'The session of a browser, by a cookie that holds nothing but a random text. Who shows none and navigates is sent to `issuer.login`; what is not a navigation gets 401.',
  )

/** The parsed `session`. */
export type SessionConfig = z.output<typeof sessionSchema>
