// A certificate of its own for every identity: the grant that Envoy takes to the signer. Nothing is
// minted here, and no key is held but the one that seals.

import type { CertificateConfig } from '../grant/schema.ts'
import { delegate, namesOf, overriding, readProven } from '../grant/delegation.ts'
import { handleDigest } from '../grant/handle.ts'
import type { GrantSeal } from '../grant/seal.ts'
import { compileTemplate, contentsOf, type Fields, type Template } from '../grant/template.ts'
import { validityAt } from '../grant/validity.ts'
import type { Identity } from '../identity/identity.ts'
import { findReserved } from '../identity/reserved.ts'
import type { Clock } from '../runtime/clock.ts'
import { Derived, keepsDerived } from '../runtime/derived.ts'
import type { Transformation, TransformFailure, Transformer } from './transformer.ts'

/** What the transformer needs. */
export interface ClientCertificateOptions {
  readonly route: string
  readonly config: CertificateConfig
  readonly seal: GrantSeal
  readonly clock: Clock
}

/**
 * `forward.certificate`: seals a grant for the identity, or with `delegate` for the client certificate
 * that an authenticator proved. A certificate that was only presented in the TLS handshake is never
 * copied. Equal for every request of one identity until its slot ends (`grant/validity.ts`).
 */
export const clientCertificate = (options: ClientCertificateOptions): Transformer => {
  const granter = new Granter(options)
  const { clock } = options
  // Identities are remembered with the proof behind them, so this is worked out once for each.
  const known = new Derived<Identity, Granted>()
  return {
    kind: 'certificate',
    // A simulated identity has no certificate that could be copied.
    ...(options.config.delegate === undefined ? {} : { asks: true }),
    transform({ identity }) {
      const remembered = known.get(identity)
      if (remembered !== undefined && clock.now() < remembered.until) {
        return remembered.transformation
      }
      const fresh = granter.grant(identity)
      known.set(identity, fresh)
      return fresh.transformation
    },
  }
}

const NEVER = Number.POSITIVE_INFINITY

interface Granted {
  readonly transformation: Transformation
  /** Milliseconds since the epoch. */
  readonly until: number
}

/** The fields of a certificate, and the end of the one that they were copied from. */
type Contents =
  | { readonly outcome: 'made'; readonly fields: Fields; readonly expires?: number }
  | { readonly outcome: 'failed'; readonly code: TransformFailure }

class Granter {
  readonly #options: ClientCertificateOptions
  readonly #template: Template
  readonly #fallback: Template | undefined
  readonly #allowReserved: readonly string[]

  constructor(options: ClientCertificateOptions) {
    const { config } = options
    const { delegate: fields } = config
    this.#options = options
    this.#template = compileTemplate(fields === undefined ? config : overriding(config, fields))
    this.#fallback = fields?.fallback && compileTemplate(fields.fallback)
    this.#allowReserved = config.allowReserved
  }

  grant(identity: Identity): Granted {
    const { route, config, seal, clock } = this.#options
    const now = clock.now()
    const contents = this.#contents(identity)
    if (contents.outcome === 'failed') return failed(contents.code)
    const { subject, extensions } = contentsOf(contents.fields)
    const names = namesOf({ subject, extensions })
    if (names === undefined) return failed('certificate-unreadable')
    if (this.#isReserved(names, identity)) return failed('certificate-reserved')
    const expires = Math.min(identity.expires ?? NEVER, contents.expires ?? NEVER)
    const validity = validityAt(now, config, expires, subject)
    if (validity === undefined) return failed('credential-expired')
    const sealing = seal.seal({
      authority: config.ca,
      route,
      authenticator: identity.authenticator,
      subject,
      extensions,
      ...validity,
    })
    if (sealing.outcome === 'too-large') return failed('certificate-too-large')
    const secret = { name: sealing.handle, digest: handleDigest(sealing.handle) }
    const forwarding = { setHeaders: keepsDerived([]), repeatedHeaders: [], secret }
    return {
      transformation: { outcome: 'transformed', forwarding },
      until: validity.renewAt * 1_000,
    }
  }

  #contents(identity: Identity): Contents {
    const { delegate: config } = this.#options.config
    if (config === undefined) return made(this.#template.apply(identity))
    const { certificateDer } = identity
    if (certificateDer === undefined) {
      return this.#fallback === undefined
        ? { outcome: 'failed', code: 'certificate-missing' }
        : made(this.#fallback.apply(identity))
    }
    const proven = readProven(certificateDer)
    if (proven === undefined) return { outcome: 'failed', code: 'certificate-unreadable' }
    const fields = delegate(proven, config, this.#template, identity)
    return made(fields, proven.notAfter * 1_000)
  }

  /** Whether the certificate would carry a reserved name that this identity does not have. */
  #isReserved([user = '', ...groups]: readonly string[], identity: Identity): boolean {
    const allowed = new Set([identity.user, ...identity.groups, ...this.#allowReserved])
    return findReserved({ user, groups }, allowed) !== undefined
  }
}

const made = (fields: Fields | undefined, expires?: number): Contents => {
  if (fields === undefined) return { outcome: 'failed', code: 'certificate-unrepresentable' }
  return { outcome: 'made', fields, ...(expires === undefined ? {} : { expires }) }
}

// Nothing that failed is remembered: what is missing now may be there with the next request.
const failed = (code: TransformFailure): Granted => ({
  transformation: { outcome: 'failed', code },
  until: 0,
})
