// What a client may do for a user (OAuth's grant), each of one login: what is given out by a grant says what
// was proven at that login, so a client that comes back after another login in the same browser gets another.

import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import type { AuthorizationServer } from '../../check/authorization-server.ts'
import { SESSION_CLIENT } from '../../logins/session-client.ts'
import { setLogin } from './login-fields.ts'
import { loginOf } from '../../logins/login-id.ts'

/** What the user has granted; a first-party client needs no consent. */
export const grantOf = async (
  ctx: KoaContextWithOIDC,
  { clients }: AuthorizationServer,
): Promise<Grant | undefined> => {
  const { client, session, requestParamOIDCScopes, requestParamScopes } = ctx.oidc
  if (client === undefined || session?.accountId === undefined) return undefined
  const known = await knownGrant(ctx, client.clientId)
  const configured = clients.find(({ id }) => id === client.clientId)
  const firstParty = configured?.config.firstParty ?? client.clientId === SESSION_CLIENT
  if (!firstParty) return known
  const grant = known ?? newGrant(ctx, client.clientId)
  grant.addOIDCScope([...requestParamOIDCScopes].join(' '))
  for (const [indicator, { scopes }] of Object.entries(ctx.oidc.resourceServers ?? {})) {
    const wanted = [...requestParamScopes].filter((scope) => scopes.has(scope))
    grant.addResourceScope(indicator, wanted.join(' '))
  }
  await grant.save()
  return grant
}

/** What was granted before: of this login, or by a login before it, which is written down as another. */
const knownGrant = async (
  ctx: KoaContextWithOIDC,
  clientId: string,
): Promise<Grant | undefined> => {
  const { provider, session, result } = ctx.oidc
  const consented = result?.consent?.grantId
  const grantId = consented ?? session?.grantIdFor(clientId)
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  if (known === undefined) return undefined
  const login = loginOf(known)
  if (login === loginOf(session)) return known
  const grant = newGrant(ctx, clientId)
  const { openid, resources, rejected } = known
  Object.assign(grant, { openid, resources, rejected })
  await grant.save()
  return grant
}

const newGrant = ({ oidc: { provider, session } }: KoaContextWithOIDC, clientId: string): Grant => {
  const { accountId, uid } = session ?? {}
  const grant = new provider.Grant({ clientId, ...(accountId === undefined ? {} : { accountId }) })
  const login = loginOf(session)
  setLogin(grant, {
    ...(login === undefined ? {} : { login }),
    ...(uid === undefined ? {} : { sessionUid: uid }),
  })
  return grant
}
