// The login of a session and of a grant: further fields in what `oidc-provider` stores. Every code and token names its grant,
// so each of them leads to what its own login proved, and not to another login of the same subject.

import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { loginOf } from '../../logins/login-id.ts'

/** In addition to the fields of `oidc-provider`. */
interface LoginFields {
  /** The login: of a session the latest in that browser. */
  readonly login?: string
  /** Of a grant: the session that it was given in (`uid`), so that it ends with it. */
  readonly sessionUid?: string
}

/** Has a provider store these fields; before it stores anything. */
export const storeLoginFields = (provider: Provider): void => {
  storeAlso(provider.Session, ['login'])
  storeAlso(provider.Grant, ['login', 'sessionUid'])
}

/** What a model stores is what its `IN_PAYLOAD` lists. */
const storeAlso = (
  model: { readonly IN_PAYLOAD: readonly string[] },
  fields: readonly (keyof LoginFields)[],
): void => {
  const names = [...model.IN_PAYLOAD, ...fields]
  Object.defineProperty(model, 'IN_PAYLOAD', { value: names })
}

/** Sets these fields of a session or a grant. */
export const setLogin = (model: object, fields: LoginFields): void => {
  Object.assign(model, fields)
}

/** The login that a grant was given in; `undefined` where the grant no longer exists. */
export const loginOfGrant = async (
  { oidc: { provider, entities } }: KoaContextWithOIDC,
  grantId: string,
): Promise<string | undefined> => {
  const known = entities.Grant?.jti === grantId ? entities.Grant : undefined
  return loginOf(known ?? (await provider.Grant.find(grantId)))
}

/** The login of a browser: the one that was just made, or else that of its session. */
export const loginOfBrowser = ({
  oidc: { result, session },
}: KoaContextWithOIDC): string | undefined => {
  if (result?.login === undefined) return loginOf(session)
  const made = result['loginId']
  return typeof made === 'string' ? made : undefined
}
