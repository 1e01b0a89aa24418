// One connection to a server: one operation at a time, each with a limit. Any error ends the connection. It never
// reconnects by itself, since the new connection would not be bound.

import type { Socket } from 'node:net'
import { UNMEASURED, type ServerDurations } from '../../runtime/request-durations.ts'
import type { AnswerBudget } from './answer-budget.ts'
import { DirectoryError } from './failure.ts'
import { MessageFramer } from './framer.ts'
import {
  bindRequest,
  searchRequest,
  startTlsRequest,
  unbindRequest,
  type Search,
} from './requests.ts'
import { OPERATION, readResponse, type Entry, type LdapResult, type Response } from './responses.ts'

/** How long to wait for one operation, and for how much. */
export interface OperationLimits {
  /** Aborts when the caller cancels. */
  readonly signal: AbortSignal
  /** Milliseconds. */
  readonly limit: number
  /** What the answer takes from. */
  readonly budget: AnswerBudget
}

/** What a search found, and how it ended. */
export interface SearchAnswer {
  readonly entries: readonly Entry[]
  readonly result: LdapResult
}

interface Pending {
  readonly messageId: number
  readonly operation: number
  readonly budget: AnswerBudget
  /** How many entries the search may return. */
  readonly atMost: number
  readonly entries: Entry[]
  readonly resolve: (answer: SearchAnswer) => void
  readonly reject: (cause: unknown) => void
}

// An entry with 10,000 groups has about 1 MB.
const LARGEST_MESSAGE = 4_194_304
// Without a request a server has one thing to say, the notice of disconnection (RFC 4511 §4.4.1).
const LARGEST_NOTICE = 4_096

/** An open connection. */
export class LdapConnection {
  /** The server's URL, for messages. */
  readonly server: string
  readonly #socket: Socket
  readonly #durations: ServerDurations
  readonly #framer = new MessageFramer(LARGEST_MESSAGE)
  #messageId = 0
  #pending: Pending | undefined
  #end: { readonly cause: unknown } | undefined

  /** @param server its URL */
  constructor(socket: Socket, server: string, durations = UNMEASURED) {
    this.#socket = socket
    this.#durations = durations
    this.server = server
    socket.on('data', this.#onData).on('error', this.#onError).on('close', this.#onClose)
  }

  /** Whether it can take an operation. */
  get isUsable(): boolean {
    return this.#end === undefined && this.#pending === undefined
  }

  /** A simple bind. The result says whether it succeeded; failures of the server are thrown. */
  async bind(name: string, password: string, limits: OperationLimits): Promise<LdapResult> {
    const message = bindRequest(this.#nextId(), name, password)
    const bind = () => this.#exchange(message, OPERATION.bindResponse, limits)
    return (await this.#durations.measure('bind', bind, limits)).result
  }

  /** A search. More entries than requested are an error. */
  async search(search: Search, limits: OperationLimits): Promise<SearchAnswer> {
    const seconds = Math.ceil(limits.limit / 1_000)
    const message = searchRequest(this.#nextId(), search, seconds)
    const find = () => this.#exchange(message, OPERATION.searchDone, limits, search.atMost)
    return await this.#durations.measure('search', find, limits)
  }

  /**
   * Starts TLS and returns the socket, which this connection then no longer owns.
   *
   * @throws DirectoryError `tls` when the server refuses, or has sent more than its answer: an attacker who can
   *   insert plain text could otherwise answer the first bind
   */
  async startTls(limits: OperationLimits): Promise<Socket> {
    const message = startTlsRequest(this.#nextId())
    const { result } = await this.#exchange(message, OPERATION.extendedResponse, limits)
    if (result.code !== 0) {
      throw this.#fail('tls', `refuses StartTLS: result code ${result.code} ${result.diagnostic}`)
    }
    if (this.#end !== undefined || this.#framer.held > 0) {
      throw this.#fail('tls', 'sent more than an answer to StartTLS')
    }
    this.#socket.off('data', this.#onData).off('error', this.#onError).off('close', this.#onClose)
    this.#end = {
      cause: new DirectoryError('closed', `${this.server} closed its connection for StartTLS`),
    }
    return this.#socket
  }

  /** Whether an open connection keeps the process running: not while it is idle. */
  holdProcess(hold: boolean): void {
    if (hold) this.#socket.ref()
    else this.#socket.unref()
  }

  /** Calls back once, when the connection ends for whatever reason. */
  onceEnded(listener: () => void): void {
    this.#socket.once('close', listener)
  }

  /** Closes the connection; a pending operation fails. */
  close(): void {
    if (this.isUsable) this.#socket.end(unbindRequest(this.#nextId()))
    this.#fail('closed', 'was closed')
  }

  async #exchange(
    message: Buffer,
    operation: number,
    limits: OperationLimits,
    atMost = 0,
  ): Promise<SearchAnswer> {
    limits.signal.throwIfAborted()
    if (this.#end !== undefined) throw this.#end.cause
    if (this.#pending !== undefined) throw new Error('a connection has one operation at a time')
    const { promise, resolve, reject } = Promise.withResolvers<SearchAnswer>()
    const { budget } = limits
    const messageId = this.#messageId
    this.#pending = { messageId, operation, budget, atMost, entries: [], resolve, reject }
    const timer = setTimeout(() => {
      this.#fail('timeout', `did not answer within ${limits.limit} ms`)
    }, limits.limit)
    const onAbort = (): void => this.#finish(limits.signal.reason)
    limits.signal.addEventListener('abort', onAbort, { once: true })
    this.#socket.write(message)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      limits.signal.removeEventListener('abort', onAbort)
    }
  }

  #nextId(): number {
    this.#messageId += 1
    return this.#messageId
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#pending?.budget.takeBytes(chunk.length, this.server)
      for (const message of this.#framer.push(chunk)) {
        this.#take(readResponse(message))
        if (this.#end !== undefined) return
      }
      if (this.#pending === undefined && this.#framer.held > LARGEST_NOTICE) {
        this.#fail('malformed', 'sent an unsolicited message')
      }
    } catch (cause) {
      if (cause instanceof DirectoryError) this.#finish(cause)
      else this.#fail('malformed', 'does not answer as an LDAP server does', cause)
    }
  }

  #take(response: Response): void {
    const pending = this.#pending
    pending?.budget.takeElements(response.elements, this.server)
    if (response.messageId === 0 && response.kind === 'result') {
      // RFC 4511 §4.4.1
      this.#fail('closed', `announces the end of the connection: code ${response.result.code}`)
    } else if (response.messageId !== pending?.messageId) {
      this.#fail('malformed', 'sent an unsolicited message')
    } else if (response.kind === 'entry' && pending.operation === OPERATION.searchDone) {
      if (pending.entries.length < pending.atMost) pending.entries.push(response.entry)
      else this.#fail('answered', `sent more than the ${pending.atMost} requested entries`)
    } else if (response.kind === 'result' && pending.operation === response.operation) {
      this.#pending = undefined
      pending.resolve({ entries: pending.entries, result: response.result })
    } else if (response.kind !== 'reference') {
      this.#fail('malformed', 'answered another operation than the requested one')
    }
  }

  readonly #onError = (cause: unknown): void => {
    this.#fail('closed', 'broke the connection', cause)
  }

  readonly #onClose = (): void => {
    this.#fail('closed', 'closed the connection')
  }

  #fail(failure: DirectoryError['failure'], what: string, cause?: unknown): DirectoryError {
    const error = new DirectoryError(failure, `${this.server} ${what}`, { cause })
    this.#finish(error)
    return error
  }

  #finish(cause: unknown): void {
    if (this.#end !== undefined) return
    this.#end = { cause }
    // After an unbind the socket is flushed first (RFC 4511 §4.3).
    if (this.#socket.writableEnded) this.#socket.destroySoon()
    else this.#socket.destroy()
    this.#pending?.reject(cause)
    this.#pending = undefined
  }
}
