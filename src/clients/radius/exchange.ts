// One pending request: its bytes, and the promise of its reply.

import { REPLY, type Packet, type PacketFault } from './packet.ts'
import { RadiusFailure } from './failure.ts'

/** A request and its reply. Disposing of it gives its identifier back. */
export class Exchange implements Disposable {
  readonly bytes: Uint8Array
  /** What the reply is verified with. */
  readonly authenticator: Uint8Array
  /**
   * Whether only a signed reply counts. Many servers answer Status-Server unsigned (as the example of RFC 5997 §6.1
   * does), and a forged reply to it authenticates no user.
   */
  readonly signed: boolean
  /** Whether it stays when what was sent is turned away, because it will be sent again. */
  persistent = false
  readonly #outcome = Promise.withResolvers<Packet>()
  readonly #release: () => void
  readonly #grace: number
  #discarded = 0
  #fault: PacketFault | undefined
  #unsigned: RadiusFailure | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param grace milliseconds that a signed reply may come after one that lacks `Message-Authenticator` */
  constructor(
    request: Pick<Exchange, 'bytes' | 'authenticator' | 'signed'>,
    grace: number,
    release: () => void,
  ) {
    this.bytes = request.bytes
    this.authenticator = request.authenticator
    this.signed = request.signed
    this.#grace = grace
    this.#release = release
    // The caller may no longer be waiting when it fails.
    this.#outcome.promise.catch(() => undefined)
  }

  /** The reply has come, and is genuine. */
  answer(reply: Packet): void {
    this.#outcome.resolve(reply)
  }

  /** No reply will come. */
  fail(failure: RadiusFailure): void {
    this.#outcome.reject(failure)
  }

  /** Something came in the name of a reply; RFC 2865 §3 has it silently discarded. */
  discard(fault: PacketFault, { code }: Pick<Packet, 'code'>): void {
    this.#discarded += 1
    this.#fault = fault
    if (fault === 'message-authenticator-missing') this.#expectNoOther(code)
  }

  /**
   * The reply proves the shared secret, so it is the server's, which would send the same again. A forger without the
   * secret can send a signed reply no more than this one (CVE-2024-3596): so a signed one is still awaited, but not for
   * long.
   */
  #expectNoOther(code: number): void {
    if (this.#unsigned !== undefined) return
    const failure = new RadiusFailure(
      code === REPLY.reject ? 'unsigned-reject' : 'unsigned',
      UNSIGNED,
    )
    this.#unsigned = failure
    this.#timer = setTimeout(() => this.fail(failure), this.#grace)
  }

  /**
   * The reply, or `undefined` when none has come after so many milliseconds.
   *
   * @throws RadiusFailure when none can come any more; the signal's reason when it aborts
   */
  async within(limit: number, signal: AbortSignal): Promise<Packet | undefined> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const timer = setTimeout(resolve, limit, undefined)
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await Promise.race([this.#outcome.promise, promise])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** The failure of a request without a reply in time. */
  unanswered(limit: number): RadiusFailure {
    if (this.#unsigned !== undefined) return this.#unsigned
    const silence = `no reply within ${Math.round(limit)} ms`
    if (this.#fault === undefined) return new RadiusFailure('unanswered', silence)
    const discarded = `${this.#discarded} discarded, the last for ${this.#fault}`
    const hint = WRONG_SECRET.includes(this.#fault) ? '; is the shared secret the same?' : ''
    return new RadiusFailure('unanswered', `${silence} (${discarded}${hint})`)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#release()
  }
}

const UNSIGNED = 'a reply without Message-Authenticator was discarded (CVE-2024-3596)'
const WRONG_SECRET: readonly PacketFault[] = ['authenticator-wrong', 'message-authenticator-wrong']
