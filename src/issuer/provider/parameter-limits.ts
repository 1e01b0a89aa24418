// Limits of the parameters of requests that are stored until they are answered: at the authorization, pushed authorization
// and device authorization endpoints. Their clients are not authenticated yet.

import { errors, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import { sourceOf } from '../http/caller.ts'
import type { IssuerMetrics } from '../http/metrics.ts'
import { answered } from './record-adapter.ts'
import type { DeviceLimits } from './device-limits.ts'

/** Characters; of several values, together. The provider compares the remaining parameters with closed lists. */
const LONGEST = {
  acr_values: 256,
  claims_locales: 100,
  display: 32,
  login_hint: 256,
  max_age: 16,
  nonce: 512,
  prompt: 64,
  redirect_uri: 2_048,
  resource: 2_048,
  scope: 1_024,
  state: 2_048,
  ui_locales: 100,
} as const

/** What limiting needs. */
export interface ParameterLimitsParts {
  readonly deviceLimits: DeviceLimits
  readonly metrics: IssuerMetrics
}

type ExtraParams = Extract<
  NonNullable<Configuration['extraParams']>,
  Readonly<Record<string, unknown>>
>

/**
 * Validators of the provider's own parameters. The provider runs them once a request is complete, before it
 * keeps it: the last of them counts device codes.
 */
export const parameterLimits = (parts: ParameterLimitsParts): ExtraParams => ({
  ...Object.fromEntries(
    Object.entries(LONGEST).map(([name, most]) => [
      name,
      (_ctx: KoaContextWithOIDC, value: unknown) => {
        if (lengthOf(value) > most) {
          throw new errors.InvalidRequest(`"${name}" is longer than ${most} characters`)
        }
      },
    ]),
  ),
  client_id: async (ctx: KoaContextWithOIDC) => await countDevice(ctx, parts),
})

const lengthOf = (value: unknown): number => {
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + lengthOf(one), 0)
  return typeof value === 'string' ? value.length : 0
}

/** @throws errors.TemporarilyUnavailable as 429 where there are too many device codes */
const countDevice = async (
  ctx: KoaContextWithOIDC,
  { deviceLimits, metrics }: ParameterLimitsParts,
): Promise<void> => {
  const { client, route } = ctx.oidc
  if (route !== 'device_authorization' || client === undefined) return
  const isPublic = client.clientAuthMethod === 'none'
  const source = isPublic ? sourceOf(ctx.req) : undefined
  const wait = await answered(deviceLimits.request(client.clientId, source))
  metrics.deviceCode('requested', wait === undefined ? 'accepted' : 'limited')
  if (wait === undefined) return
  ctx.set('retry-after', String(wait))
  const error = new errors.TemporarilyUnavailable(
    `too many device codes were requested; try again in ${wait} s`,
    'too many device codes',
  )
  throw Object.assign(error, { status: TOO_MANY, statusCode: TOO_MANY })
}

// RFC 6585 §4.
const TOO_MANY = 429
