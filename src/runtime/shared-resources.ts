// Resources that outlive a configuration: users with equal options share one, and a reload retains those in use.

import { digestOf } from './digest.ts'

/** Resources by the options that they were made for. */
export class SharedResources<T extends object & Partial<Disposable>> implements Disposable {
  readonly #resources = new Map<string, T>()

  /** The resource for these options: the one that there is, or a new one. */
  acquire(options: readonly unknown[], make: () => T): T {
    const id = digestOf(options)
    const known = this.#resources.get(id)
    if (known !== undefined) return known
    const made = make()
    this.#resources.set(id, made)
    return made
  }

  /** All that there are, in the order in which they were made. */
  get all(): readonly T[] {
    return [...this.#resources.values()]
  }

  /** Disposes all resources but these: called after a reload, with those of the configuration in force. */
  retain(inUse: ReadonlySet<object>): void {
    for (const [id, resource] of this.#resources) {
      if (inUse.has(resource)) continue
      resource[Symbol.dispose]?.()
      this.#resources.delete(id)
    }
  }

  [Symbol.dispose](): void {
    this.retain(new Set())
  }
}
