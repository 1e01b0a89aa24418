// Keys for the certificates that are minted: one for each, never used twice.

import {
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  type KeyPairKeyObjectResult,
} from 'node:crypto'
import { promisify } from 'node:util'
import type { KeyAlgorithm } from '../keys/key-algorithm.ts'

/** A fresh key. A `KeyObject` does not print. */
export interface MintedKey {
  readonly privateKey: KeyObject
  /** DER of its SubjectPublicKeyInfo. */
  readonly publicKey: Buffer
}

/** What a source has, and what it owes. */
export interface KeyStock {
  /** Keys that lie ready. */
  readonly ready: number
  /** Takers that wait for theirs. */
  readonly waiting: number
}

/** Keys of one algorithm. */
export interface KeySource extends Disposable {
  /** A key that is given only once. */
  take(): Promise<MintedKey>
  /** Makes keys ahead, where that is worth it. */
  prepare(): void
  /** The stock now; absent where keys are made on the spot. */
  readonly stock?: () => KeyStock
}

/** A source of keys of this algorithm. */
export const keySource = (algorithm: KeyAlgorithm): KeySource => {
  switch (algorithm) {
    case 'p256':
      return immediate(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
    case 'ed25519':
      return immediate(() => generateKeyPairSync('ed25519'))
    case 'p384':
      return new KeyPool(() => generateAside('ec', { namedCurve: 'P-384' }), EC_AHEAD)
    case 'rsa2048':
    case 'rsa3072':
    case 'rsa4096': {
      const modulusLength = Number(algorithm.slice('rsa'.length))
      return new KeyPool(() => generateAside('rsa', { modulusLength }), RSA_AHEAD)
    }
  }
}

const EC_AHEAD = 64
const RSA_AHEAD = 16

const generateAside = promisify(generateKeyPair)

// Measured: 34 µs on the spot, and 39 µs of the event loop alone to have it done in another thread.
const immediate = (generate: () => KeyPairKeyObjectResult): KeySource => ({
  take: async () => exported(generate()),
  prepare: () => undefined,
  [Symbol.dispose]: () => undefined,
})

const exported = ({ privateKey, publicKey }: KeyPairKeyObjectResult): MintedKey => ({
  privateKey,
  publicKey: publicKey.export({ type: 'spki', format: 'der' }),
})

/**
 * Makes keys in another thread, and some ahead. One at a time: an RSA key takes a core for up to
 * some seconds, and the other cores have work to do.
 */
export class KeyPool implements KeySource {
  readonly #generate: () => Promise<KeyPairKeyObjectResult>
  #ahead: number
  readonly #ready: MintedKey[] = []
  readonly #waiting: PromiseWithResolvers<MintedKey>[] = []
  #busy = false

  readonly stock = (): KeyStock => ({ ready: this.#ready.length, waiting: this.#waiting.length })

  /** @param ahead how many keys are kept ready while none are requested */
  constructor(generate: () => Promise<KeyPairKeyObjectResult>, ahead: number) {
    this.#generate = generate
    this.#ahead = ahead
  }

  take(): Promise<MintedKey> {
    const key = this.#ready.shift()
    const waiting = Promise.withResolvers<MintedKey>()
    if (key === undefined) this.#waiting.push(waiting)
    else waiting.resolve(key)
    this.prepare()
    return waiting.promise
  }

  prepare(): void {
    if (!this.#busy) void this.#work()
  }

  /** From now on keys are made only for those who wait. */
  [Symbol.dispose](): void {
    this.#ahead = 0
    this.#ready.length = 0
  }

  async #work(): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0 || this.#ready.length < this.#ahead) {
      try {
        const key = exported(await this.#generate())
        const first = this.#waiting.shift()
        if (first === undefined) this.#ready.push(key)
        else first.resolve(key)
      } catch (cause) {
        // Every waiting call rejects; the next call of `take` starts the generation again.
        for (const { reject } of this.#waiting.splice(0)) reject(cause)
        break
      }
    }
    this.#busy = false
  }
}
