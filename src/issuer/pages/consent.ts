// Consent: what a client requests, and the grant of it.

import type { Interaction, Provider } from 'oidc-provider'
import type { ConsentModel } from '../../pages/views/consent.ts'
import { scopesIn } from '../http/scope.ts'

/** The model of the page; `undefined` when the client was removed, or without a login. */
export const consentModel = async (
  { params, session }: Interaction,
  provider: Provider,
): Promise<ConsentModel | undefined> => {
  const client = await provider.Client.find(String(params['client_id']))
  const user = session?.accountId
  if (client === undefined || user === undefined) return undefined
  const scopes = scopesIn(params['scope']).filter((name) => name !== 'openid')
  const target = params['redirect_uri']
  return {
    client: client.clientName ?? client.clientId,
    user,
    scopes: scopes.map((name) => ({ name })),
    goesTo: typeof target === 'string' ? hostOf(target) : '',
  }
}

/** Adds what is missing to the grant. Returns its id. */
export const grantConsent = async (
  { grantId, params, session, prompt }: Interaction,
  provider: Provider,
): Promise<string> => {
  const before = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant =
    before ??
    new provider.Grant({
      clientId: String(params['client_id']),
      ...(session?.accountId !== undefined && { accountId: session.accountId }),
    })
  const { missingOIDCScope, missingOIDCClaims, missingResourceScopes } = prompt.details
  if (isTexts(missingOIDCScope)) grant.addOIDCScope(missingOIDCScope.join(' '))
  if (isTexts(missingOIDCClaims)) grant.addOIDCClaims(missingOIDCClaims)
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {})) {
    if (isTexts(scopes)) grant.addResourceScope(resource, scopes.join(' '))
  }
  return await grant.save()
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'string')

/** Of a program on a device, its scheme. */
const hostOf = (uri: string): string => {
  const { host, protocol } = new URL(uri)
  return host === '' ? protocol : host
}
