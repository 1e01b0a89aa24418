// `forward.certificate` with a clock that a test moves: what it gives to an identity, and the grant
// behind it.

import assert from 'node:assert/strict'
import { evaluate, type Permit } from '../../src/authorize/evaluate.ts'
import type { Grant } from '../../src/grant/grant.ts'
import { GrantSeal } from '../../src/grant/seal.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { clientCertificate } from '../../src/transform/client-certificate.ts'
import type { Transformation, Transformer } from '../../src/transform/transformer.ts'
import { decodeName, formatName } from '../../src/x509/name.ts'
import { certificateConfigOf } from '../fakes/certificate-config.ts'
import { FakeClock } from '../fakes/clock.ts'
import { makeGrantKey } from '../fakes/grant.ts'
import { identityOf } from '../fakes/identity.ts'
import { asEnvoySends } from '../fixtures/presented.ts'
import { questionOf } from '../fakes/question.ts'
import { policyOf } from '../fakes/rules.ts'

type Parts = Readonly<Record<string, unknown>>

const KEY = makeGrantKey()
const FOREVER = new AbortController().signal

const permitOf = (identity: Identity, connection: Buffer | undefined): Permit => {
  // The very identity, since what is made of it is remembered with it.
  const peerCertificate = connection === undefined ? '' : asEnvoySends(connection)
  const question = { ...questionOf({ request: { peerCertificate } }), identity }
  const verdict = evaluate(policyOf([{ allow: 'all' }]), question)
  assert.equal(verdict.outcome, 'permit')
  return verdict.permit
}

/** A route with such a certificate. Equal routes share a grant key, as replicas do. */
export class Granting {
  readonly clock = new FakeClock()
  readonly #seal = new GrantSeal([KEY])
  readonly transformer: Transformer

  constructor(config: Parts = {}, route = 'app') {
    this.transformer = clientCertificate({
      route,
      config: certificateConfigOf(config),
      seal: this.#seal,
      clock: this.clock,
    })
  }

  /**
   * What this very identity gets.
   *
   * @param connection the certificate of the TLS connection, DER, which no authenticator proved
   */
  give(identity: Identity, connection?: Buffer): Transformation {
    const permit = permitOf(identity, connection)
    const transformation = this.transformer.transform(permit, FOREVER)
    assert.ok(!(transformation instanceof Promise)) // what does no I/O costs no turn of the loop
    return transformation
  }

  /** What such an identity gets: `transformed`, or why not. */
  code(identity: Partial<Identity> = {}, connection?: Buffer): string {
    const transformation = this.give(identityOf(identity), connection)
    return transformation.outcome === 'failed' ? transformation.code : transformation.outcome
  }

  /** The handle that this very identity gets. */
  handle(identity: Identity, connection?: Buffer): string {
    const transformation = this.give(identity, connection)
    assert.equal(transformation.outcome, 'transformed', JSON.stringify(transformation))
    const { setHeaders, repeatedHeaders, secret } = transformation.forwarding
    assert.deepEqual({ setHeaders, repeatedHeaders }, { setHeaders: [], repeatedHeaders: [] })
    assert.ok(secret !== undefined)
    return secret.name
  }

  /** The grant that such an identity gets. */
  grant(identity: Partial<Identity> = {}, connection?: Buffer): Grant {
    const opening = this.#seal.open(this.handle(identityOf(identity), connection))
    assert.equal(opening.outcome, 'opened')
    return opening.grant
  }

  /** The subject that such an identity gets, as text. */
  subject(identity: Partial<Identity> = {}, connection?: Buffer): string {
    return formatName(decodeName(this.grant(identity, connection).subject))
  }
}
