// Reads API descriptions off the main thread: a document of some megabytes takes a second, and a
// reload must not keep checks waiting for so long.

import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { LRUCache } from 'lru-cache'
import { digestOf } from '../../runtime/digest.ts'
import { CountersignError, type ErrorCode, hasCode } from '../../runtime/errors.ts'
import type { ApiDescription } from './document.ts'

/** What the worker is given. */
export interface DescriptionTask {
  readonly text: string
  readonly base: string | undefined
  readonly allWarnings: boolean
}

/** What the worker answers. */
export type DescriptionResult =
  | { readonly ok: true; readonly description: ApiDescription }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string }

/** How much reading one description may take. */
export interface DescriptionLimits {
  /** In milliseconds. */
  readonly time: number
  /** Of its thread, in MiB. */
  readonly memory: number
}

// The largest that are published take some seconds. The library that holds the schemas, which only tools
// use, compares the members of some lists in pairs: some megabytes of parameters keep it busy for hours.
const LIMITS: DescriptionLimits = { time: 60_000, memory: 1024 }

// The extension is that of this file: `.ts` in a clone, `.js` when it is built.
const WORKER = new URL(`./worker${extname(import.meta.filename)}`, import.meta.url)

/** API descriptions, each read once as long as its text stays the same. */
export class ApiDescriptions {
  // A configuration has few, and the one before it may come back.
  readonly #known = new LRUCache<string, ApiDescription>({ max: 32 })
  readonly #limits: DescriptionLimits
  readonly #allWarnings: boolean

  /** @param options.allWarnings as for {@link readApiDescription} */
  constructor(limits = LIMITS, { allWarnings = false }: { readonly allWarnings?: boolean } = {}) {
    this.#limits = limits
    this.#allWarnings = allWarnings
  }

  /**
   * Reads a description; see {@link readApiDescription}.
   *
   * @throws CountersignError `malformed-openapi`: also where it takes too much time or memory
   */
  async read(text: string, base: string | undefined): Promise<ApiDescription> {
    const key = digestOf([text, base])
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const result = await runWorker({ text, base, allWarnings: this.#allWarnings }, this.#limits)
    if (!result.ok) throw new CountersignError(result.code, result.message)
    this.#known.set(key, result.description)
    return result.description
  }
}

const runWorker = async (
  task: DescriptionTask,
  { time, memory }: DescriptionLimits,
): Promise<DescriptionResult> => {
  const { promise, resolve, reject } = Promise.withResolvers<DescriptionResult>()
  const worker = new Worker(WORKER, {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: memory },
  })
  const timer = setTimeout(() => resolve(tooMuch(`${time / 1_000} s`)), time)
  worker.once('message', resolve)
  worker.once('error', (cause) => {
    if (isOutOfMemory(cause)) resolve(tooMuch(`${memory} MiB of memory`))
    else reject(cause)
  })
  worker.once('exit', () => reject(new Error('the reader of API descriptions ended by itself')))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    void worker.terminate() // which has ended already, unless it takes too long
  }
}

const isOutOfMemory = (cause: unknown): boolean => hasCode(cause, 'ERR_WORKER_OUT_OF_MEMORY')

const tooMuch = (what: string): DescriptionResult => ({
  ok: false,
  code: 'malformed-openapi',
  message: `takes more than ${what} to be read; leave out what is not needed`,
})
