// The identifying fields of a presented credential: which certificate, token, API key or session it is. For the audit
// log only. Bounded, and never a secret. Made once for each verification, not for each request.

import { cutText } from '../runtime/text.ts'
import type { CertificateFields } from './certificate-fields.ts'
import type { Claims } from './claims.ts'

/** A presented credential, with the fields of its kind only. */
export interface PresentedCredential {
  /**
   * Whether the credential itself was proven: its signature, its path to a trust anchor, its secret. If not, the
   * caller may have written whatever is here. (A proven one may have been refused all the same: a token that
   * was signed out, a key that has expired.)
   */
  readonly proven: boolean
  /** Of a certificate: RFC 4514, as is `issuer`. */
  readonly subject?: string
  readonly issuer?: string
  /** Hexadecimal. */
  readonly serial?: string
  /** SHA-256 of the DER, hexadecimal. */
  readonly fingerprint?: string
  /** Of a token: claims of RFC 7519, RFC 8693 and OpenID Connect; `azp` only without `client_id`. */
  readonly iss?: string
  readonly jti?: string
  readonly client_id?: string
  readonly azp?: string
  readonly aud?: readonly string[]
  /** Of an API key its id in the keys file; of a session its id, which is not what its cookie holds. */
  readonly id?: string
  /** Of a session: the id of its login. */
  readonly login?: string
}

/** The longest value that is kept, in characters; of `aud` together. */
const LONGEST = 256

/** The identifying fields of a certificate. */
export const presentedCertificate = (
  { subjectName, issuerName, serial, fingerprint }: CertificateFields,
  proven: boolean,
): PresentedCredential => ({
  proven,
  subject: cut(subjectName),
  issuer: cut(issuerName),
  serial: cut(serial),
  fingerprint,
})

/**
 * What a token says of itself; what is missing, or no text, is left out. `undefined` where it says nothing.
 *
 * @param secret the token, where its claims are what a server answered: what contains it is left out
 */
export const presentedToken = (
  claims: Claims,
  proven: boolean,
  secret?: string,
): PresentedCredential | undefined => {
  const isKept = (value: unknown): value is string =>
    typeof value === 'string' && value !== '' && !(secret !== undefined && value.includes(secret))
  const textOf = (name: 'iss' | 'jti' | 'client_id' | 'azp'): Partial<PresentedCredential> => {
    const value = claims[name]
    return isKept(value) ? { [name]: cut(value) } : {}
  }
  const said = {
    ...textOf('iss'),
    ...textOf('jti'),
    ...textOf('client_id' in claims ? 'client_id' : 'azp'),
    ...audienceOf([claims['aud']].flat().filter(isKept)),
  }
  return Object.keys(said).length === 0 ? undefined : { proven, ...said }
}

/** A credential that is identified by an id. */
export const presentedId = (id: string, proven: boolean): PresentedCredential => ({
  proven,
  id: cut(id),
})

const audienceOf = (all: readonly string[]): Pick<PresentedCredential, 'aud'> => {
  const [only] = all
  if (only === undefined) return {}
  if (all.length === 1) return { aud: [cut(only)] }
  const aud: string[] = []
  let room = LONGEST
  for (const one of all) {
    if (room <= 0) break
    aud.push(cut(one, room))
    room -= one.length
  }
  return { aud }
}

/** At most so many characters, and a mark where there were more. */
const cut = (text: string, longest = LONGEST): string => cutText(text, longest)
