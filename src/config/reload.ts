// Keeps one value in force and replaces it whole when the files behind it change. A value that
// cannot be built changes nothing: the last good one stays, and the failure is reported.

import { watch, type FSWatcher } from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigurationFiles } from './files.ts'

/** Builds the next value; throws when it cannot. Reads through `files` whatever it depends on. */
export type Build<T> = (files: ConfigurationFiles) => Promise<T>

/** Receives the outcome of reloads. Neither function may throw. */
export interface ReloadReports<T> {
  /** A value came into force in place of `previous`. */
  onLoaded(next: InForce<T>, previous: InForce<T>): void
  /** No value could be built; `kept` stays in force. */
  onRejected(cause: unknown, kept: InForce<T>): void
}

/** A value in force. */
export interface InForce<T> {
  readonly value: T
  /** Counts values that came into force, from 1. */
  readonly generation: number
}

// An editor or a ConfigMap update touches files several times within some milliseconds.
const SETTLE_MS = 50

// The kubelet replaces all files of a ConfigMap or Secret at once by renaming this link
// (kubernetes pkg/volume/util/atomic_writer.go).
const CONFIGMAP_LINK = '..data'

/** A value that was built, or failed to be, and is not in force yet. */
export interface Prepared {
  /** Why it cannot be used; `undefined` where it can. */
  readonly failure: { readonly cause: unknown } | undefined
  /** That of the files from which it was built: equal in processes that read the same. */
  readonly fingerprint: string
  /** Puts it in force, and reports that; reports its failure where it has one. */
  conclude(): void
  /** Gives it up for another reason. */
  giveUp(cause: unknown): void
}

// A configuration of which a file has changed while it was built never comes into force: part of it may be older than
// the rest. Files that change all the time must not put off every change, though.
const MOST_DISCARDED = 3

// For what watching cannot see: a folder replaced by renaming, a link far away, a network file system.
const POLL_MS = 30_000

type Attempt<T> = { readonly files: ConfigurationFiles } & (
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly cause: unknown }
)

/** Owns the value in force. */
export class Reloader<T> implements Disposable {
  readonly #build: Build<T>
  readonly #watchers = new Map<string, FSWatcher>()
  #reports: ReloadReports<T> | undefined
  #inForce: InForce<T>
  #files: ConfigurationFiles
  #timer: NodeJS.Timeout | undefined
  #poll: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #again = false
  #onChange: () => Promise<void> = () => this.reload()

  private constructor(build: Build<T>, value: T, files: ConfigurationFiles) {
    this.#build = build
    this.#inForce = { value, generation: 1 }
    this.#files = files
  }

  /** Builds the first value; what `build` throws is thrown here. */
  static async start<T>(build: Build<T>): Promise<Reloader<T>> {
    const files = new ConfigurationFiles()
    return new Reloader(build, await build(files), files)
  }

  /**
   * From now on, changes of the files are followed and reported: by watching their folders, and, for
   * what watching cannot see, by a look at them every `poll` milliseconds.
   *
   * @param onChange is called in place of {@link reload} when a file has changed: where processes reload together
   */
  follow(reports: ReloadReports<T>, poll = POLL_MS, onChange = this.reload): void {
    this.#reports = reports
    this.#onChange = onChange
    this.#poll = setInterval(() => void this.reloadIfChanged(), poll)
    this.#watch()
  }

  /** The value in force. Take it once and keep it: the next call may return another. */
  readonly current = (): InForce<T> => this.#inForce

  /**
   * Builds the next value and puts it in force, or keeps the one there is. Calls that arrive
   * meanwhile share one further reload. Never rejects.
   */
  readonly reload = async (): Promise<void> => {
    if (this.#running !== undefined) {
      this.#again = true
      return await this.#running
    }
    this.#running = this.#reloadUntilSettled()
    await this.#running
  }

  /** Reloads when any file is no longer what was read. Never rejects. */
  readonly reloadIfChanged = async (): Promise<void> => {
    if (await this.isChanged()) await this.#onChange()
  }

  /** Whether a file is not what was read last. Never rejects. */
  async isChanged(): Promise<boolean> {
    await this.#running // which may have read the change already
    return await this.#files.changed()
  }

  [Symbol.dispose](): void {
    this.#reports = undefined
    clearTimeout(this.#timer)
    clearInterval(this.#poll)
    for (const folder of this.#watchers.keys()) this.#unwatch(folder)
  }

  async #reloadUntilSettled(): Promise<void> {
    try {
      do {
        this.#again = false
        await this.#reloadOnce()
      } while (this.#again)
    } finally {
      this.#running = undefined
    }
  }

  async #reloadOnce(): Promise<void> {
    const prepared = await this.prepare()
    prepared.conclude()
  }

  /** That of the files of the value in force, or of the one that was refused last. */
  get fingerprint(): string {
    return this.#files.fingerprint
  }

  /** Builds the next value, and leaves to the caller when it comes into force. Never rejects. */
  async prepare(): Promise<Prepared> {
    let attempt = await this.#attempt()
    for (let discarded = 0; discarded < MOST_DISCARDED; discarded++) {
      if (!(await attempt.files.changed())) break
      attempt = await this.#attempt()
    }
    const last = attempt
    return {
      failure: last.ok ? undefined : { cause: last.cause },
      fingerprint: last.files.fingerprint,
      conclude: () => this.#conclude(last),
      giveUp: (cause) => this.#conclude(last.ok ? { ok: false, cause, files: last.files } : last),
    }
  }

  #conclude(attempt: Attempt<T>): void {
    if (attempt.ok) {
      const previous = this.#inForce
      this.#inForce = { value: attempt.value, generation: previous.generation + 1 }
      this.#reports?.onLoaded(this.#inForce, previous)
    } else {
      this.#reports?.onRejected(attempt.cause, this.#inForce)
    }
    this.#files = attempt.files
    this.#watch()
  }

  async #attempt(): Promise<Attempt<T>> {
    const files = new ConfigurationFiles()
    try {
      return { ok: true, value: await this.#build(files), files }
    } catch (cause) {
      return { ok: false, cause, files }
    }
  }

  /** Watches folders rather than files: editors and ConfigMaps replace a file by renaming. */
  #watch(): void {
    if (this.#reports === undefined) return
    // All anew: the folder of that name may be another one by now.
    for (const folder of this.#watchers.keys()) this.#unwatch(folder)
    for (const folder of new Set(this.#files.paths.map((path) => dirname(path)))) {
      try {
        const watcher = watch(folder, (_event, name) => {
          if (name === null || this.#concerns(folder, name)) this.#settle()
        })
        watcher.on('error', () => this.#unwatch(folder))
        this.#watchers.set(folder, watcher)
      } catch {
        // The folder is not there (yet): the reload that found that out has been reported.
      }
    }
    this.#settle() // for a change between the reading and the watching
  }

  #unwatch(folder: string): void {
    this.#watchers.get(folder)?.close()
    this.#watchers.delete(folder)
  }

  /** Logs may be in the same folder: only files of the configuration count, or the link of a ConfigMap. */
  #concerns(folder: string, name: string): boolean {
    return name === CONFIGMAP_LINK || this.#files.paths.includes(join(folder, name))
  }

  // Not put off by further events: a file that is written all the time must be looked at, too.
  #settle(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      void this.reloadIfChanged()
    }, SETTLE_MS)
  }
}
