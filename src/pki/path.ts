// From a certificate to a trust anchor (RFC 5280 §6, RFC 4158): looks for a path whose signatures hold,
// and takes the first that is valid. What it may cost is bounded, whatever is presented.

import { type PathFault, pathFault, type Path, type PathRules } from './path-rules.ts'
import { AuthorityIndex, type Trust } from './trust.ts'
import { type ChainCertificate, isMalformed } from './chain-certificate.ts'
import { isValidToo } from './pkijs-validator.ts'
import { isStrongKey } from './strength.ts'

/** The result of the search for a path. */
export type PathResult =
  | {
      readonly outcome: 'valid'
      readonly path: Path
      /** When the first of its certificates ends, in milliseconds since the epoch. */
      readonly until: number
    }
  | { readonly outcome: 'invalid'; readonly code: PathFault }

// Leaf and anchor included; real ones have three or four, bridged ones of several PKIs seven.
const LONGEST_PATH = 10
// A signature takes from 30 µs (RSA) to 1.5 ms (P-521) to verify. They are also what paths are made of:
// of 32 there can be made some hundreds, by CAs that signed each other crosswise.
const MAX_SIGNATURES = 32
// Each is judged whole, by pkijs too, which takes a millisecond or more.
const MAX_PATHS = 8

/**
 * Looks for a valid path.
 *
 * @param presented further certificates of the client, not trusted
 * @param now milliseconds since the epoch
 */
export const findPath = async (
  leaf: ChainCertificate,
  presented: readonly ChainCertificate[],
  trust: Trust,
  rules: PathRules,
  now: number,
): Promise<PathResult> => {
  const search = new Search(presented, trust)
  let fault: PathFault = 'certificate-untrusted'
  let judged = 0
  for (const path of search.pathsFrom([leaf])) {
    if (judged === MAX_PATHS) break
    const code = await faultOf(path, rules, now)
    if (code === undefined) {
      const ends = path.map(({ parts }) => parts.notAfter * 1_000)
      return { outcome: 'valid', path, until: Math.min(...ends) }
    }
    // That of the first path, which is the shortest as a rule.
    if (judged === 0) fault = code
    judged += 1
  }
  return {
    outcome: 'invalid',
    code: judged === 0 && search.sawWeakKey ? 'certificate-weak' : fault,
  }
}

const faultOf = async (
  path: Path,
  rules: PathRules,
  now: number,
): Promise<PathFault | undefined> => {
  try {
    const fault = pathFault(path, rules, now)
    if (fault !== undefined) return fault
  } catch (cause) {
    // An extension that cannot be read: of a CA, or a name that one of its constraints is about.
    if (!isMalformed(cause)) throw cause
    return 'certificate-untrusted'
  }
  return (await isValidToo(path, now)) ? undefined : 'certificate-untrusted'
}

class Search {
  readonly #trust: Trust
  readonly #presented: AuthorityIndex
  readonly #signers = new Map<string, readonly ChainCertificate[]>()
  #signatures = 0
  /** Whether a CA was left out whose key is too weak, or too big to verify by. */
  sawWeakKey = false

  constructor(presented: readonly ChainCertificate[], trust: Trust) {
    this.#presented = new AuthorityIndex(presented)
    this.#trust = trust
  }

  /** Every path that begins so and ends at an anchor, with signatures that hold. */
  *pathsFrom(path: Path): Generator<Path> {
    const last = path.at(-1)
    if (last === undefined || path.length === LONGEST_PATH) return
    for (const anchor of this.#signersOf(last, 'anchors')) {
      if (!path.some((certificate) => isSameSigner(certificate, anchor))) yield [...path, anchor]
    }
    for (const authority of this.#signersOf(last, 'presented')) {
      // RFC 4158 §5.2: the same name and key again leads nowhere that the first time did not.
      if (path.some((certificate) => isSameSigner(certificate, authority))) continue
      yield* this.pathsFrom([...path, authority])
    }
  }

  /** The CAs by whose key the signature of the certificate holds; worked out once for each. */
  #signersOf(
    certificate: ChainCertificate,
    kind: 'anchors' | 'presented',
  ): readonly ChainCertificate[] {
    const key = `${kind} ${certificate.fingerprint}`
    const known = this.#signers.get(key)
    if (known !== undefined) return known
    const { anchors, intermediates } = this.#trust
    const named =
      kind === 'anchors'
        ? anchors.namedAsIssuerOf(certificate)
        : [
            ...this.#presented.namedAsIssuerOf(certificate),
            ...intermediates.namedAsIssuerOf(certificate),
          ]
    const signers = named.filter((authority) => this.#hasSigned(authority, certificate, kind))
    this.#signers.set(key, signers)
    return signers
  }

  #hasSigned(
    { constraints, key, x509 }: ChainCertificate,
    certificate: ChainCertificate,
    kind: 'anchors' | 'presented',
  ): boolean {
    if (this.#signatures >= MAX_SIGNATURES || !constraints.isAuthority) return false
    // Key identifiers and key usage as OpenSSL sees them, before anything that costs.
    if (key === undefined || !certificate.x509.checkIssued(x509)) return false
    if (kind === 'presented' && !isStrongKey(key)) {
      this.sawWeakKey = true
      return false
    }
    this.#signatures += 1
    return certificate.x509.verify(key)
  }
}

const isSameSigner = (one: ChainCertificate, other: ChainCertificate): boolean =>
  one.parts.subject.equals(other.parts.subject) && one.parts.publicKey.equals(other.parts.publicKey)
