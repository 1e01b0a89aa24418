// A client that asks the API server for its identity, over and over, and follows an object meanwhile.

import { ApiException, AuthenticationV1Api, type V1UserInfo } from '@kubernetes/client-node'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, type Caller } from '../kubernetes/asking.ts'
import { configOf } from '../kubernetes/client-node.ts'
import { follow, type Following } from '../kubernetes/following.ts'
import type { KubeSite } from '../kubernetes/kube-site.ts'
import type { User } from '../kubernetes/users.ts'

/** A request that came to nothing. */
export interface Failure {
  /** When it was sent, and when it was known to have failed, in milliseconds since 1970. */
  readonly from: number
  readonly to: number
  readonly status: number | undefined
  readonly message: string
}

/** Who walks, and how. */
export interface WalkerOptions {
  /** For messages: the ways in and out. */
  readonly name: string
  readonly user: User
  readonly caller: Caller
  readonly address: string
}

/** Between two questions of one walker, in milliseconds. */
const PACE = 400

/** One. */
export class Walker implements AsyncDisposable {
  readonly name: string
  /** Answers with the client's own identity. */
  answers = 0
  readonly failures: Failure[] = []
  /** Answers with another identity. */
  readonly mistaken: string[] = []
  readonly #site: KubeSite
  readonly #options: WalkerOptions
  readonly #expected: string
  readonly #over = new AbortController()
  #following: Following | undefined
  #walking: Promise<void> | undefined

  constructor(site: KubeSite, options: WalkerOptions) {
    this.name = options.name
    this.#site = site
    this.#options = options
    const { name, groups } = options.user
    this.#expected = said({ username: name, groups: [...groups, 'system:authenticated'] })
  }

  /** The changes that it received of the object that it follows. */
  get turns(): readonly string[] {
    return this.#following?.turns ?? []
  }

  /** How often it had to begin to follow again. */
  get restarts(): number {
    return this.#following?.restarts ?? 0
  }

  async start(): Promise<void> {
    const { caller, address } = this.#options
    this.#following = await follow(this.#site, caller, address)
    this.#walking = this.#walk()
  }

  /** Asks once by a kubectl. */
  async askByKubectl(): Promise<void> {
    const { caller, address } = this.#options
    const from = Date.now()
    const args = ['auth', 'whoami', '-o', 'json']
    const { code, output, complaint } = await ask(this.#site, caller, args, address)
    if (code === 0) this.#hear(JSON.parse(output).status.userInfo)
    else this.#fail(from, undefined, complaint)
  }

  async #walk(): Promise<void> {
    const { caller, address } = this.#options
    const config = configOf(caller, `https://${address}:${this.#site.port}`)
    const reviews = config.makeApiClient(AuthenticationV1Api)
    while (!this.#over.signal.aborted) {
      const from = Date.now()
      try {
        const { status } = await reviews.createSelfSubjectReview({ body: {} })
        this.#hear(status?.userInfo ?? {})
      } catch (cause) {
        const status = cause instanceof ApiException ? cause.code : undefined
        this.#fail(from, status, String(cause))
      }
      await sleep(PACE)
    }
  }

  #hear(info: V1UserInfo): void {
    const heard = said(info)
    if (heard === this.#expected) this.answers += 1
    else this.mistaken.push(`${this.name} is told to be ${heard}`)
  }

  #fail(from: number, status: number | undefined, message: string): void {
    this.failures.push({ from, to: Date.now(), status, message: `${this.name}: ${message}` })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort()
    await this.#walking
    await this.#following?.[Symbol.asyncDispose]()
  }
}

const said = ({ username = '', groups = [] }: V1UserInfo): string =>
  JSON.stringify([username, ...groups.toSorted()])
