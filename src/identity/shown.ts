// What a caller showed, in the credential's own words: which certificate, token, key or session it was. For the
// audit log alone. Bounded, and never a secret. Made once for each proof, not for each request.

import { cutText } from '../runtime/text.ts'
import type { CertificateFields } from './certificate-fields.ts'
import type { Claims } from './claims.ts'

/** A credential as it was shown; only the fields of its kind are there. */
export interface ShownCredential {
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

/** The names in a certificate, not verified. */
export const shownCertificate = (
  { subjectName, issuerName, serial, fingerprint }: CertificateFields,
  proven: boolean,
): ShownCredential => ({
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
export const shownToken = (
  claims: Claims,
  proven: boolean,
  secret?: string,
): ShownCredential | undefined => {
  const isKept = (value: unknown): value is string =>
    typeof value === 'string' && value !== '' && !(secret !== undefined && value.includes(secret))
  const textOf = (name: 'iss' | 'jti' | 'client_id' | 'azp'): Partial<ShownCredential> => {
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

/** What is shown by an id alone. */
export const shownId = (id: string, proven: boolean): ShownCredential => ({ proven, id: cut(id) })

const audienceOf = (all: readonly string[]): Pick<ShownCredential, 'aud'> => {
  const aud: string[] = []
  let room = LONGEST
  for (const one of all) {
    if (room <= 0) break
    aud.push(cut(one, room))
    room -= one.length
  }
  return aud.length === 0 ? {} : { aud }
}

/** At most so many characters, and a mark where there were more. */
const cut = (text: string, longest = LONGEST): string => cutText(text, longest)
