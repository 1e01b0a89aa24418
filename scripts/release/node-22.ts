// What Node 22 lacks of the language that `src/` uses. It is bundled before everything else; Node 24 has all of it.

type Release = () => unknown

interface Resource {
  readonly [Symbol.dispose]?: Release
  readonly [Symbol.asyncDispose]?: Release
}

const releaseOf = (resource: Resource, isAsync: boolean): Release => {
  const release = (isAsync ? resource[Symbol.asyncDispose] : undefined) ?? resource[Symbol.dispose]
  if (typeof release !== 'function') throw new TypeError('the value is not disposable')
  return () => release.call(resource)
}

/** The parts of `DisposableStack` and `AsyncDisposableStack` (ECMA-262, explicit resource management) that do not differ. */
class Stack {
  #releases: Release[] = []
  #isDisposed = false

  get disposed(): boolean {
    return this.#isDisposed
  }

  defer(release: Release): void {
    if (this.#isDisposed) throw new ReferenceError('the stack is disposed')
    this.#releases.push(release)
  }

  adopt<T>(value: T, release: (value: T) => unknown): T {
    this.defer(() => release(value))
    return value
  }

  /** Its releases, the last first; it has none afterwards. */
  protected take(): readonly Release[] {
    this.#isDisposed = true
    return this.#releases.splice(0).toReversed()
  }

  protected moveTo<T extends Stack>(other: T): T {
    if (this.#isDisposed) throw new ReferenceError('the stack is disposed')
    for (const release of this.take().toReversed()) other.defer(release)
    return other
  }
}

/** Every failure is kept: a later one holds the earlier ones (`SuppressedError`). */
class Failures {
  #last: { readonly error: unknown } | undefined

  add(error: unknown): void {
    const earlier = this.#last
    this.#last = {
      error:
        earlier === undefined
          ? error
          : Object.assign(new Error('several resources failed to close'), {
              name: 'SuppressedError',
              error,
              suppressed: earlier.error,
            }),
    }
  }

  throwAny(): void {
    if (this.#last !== undefined) throw this.#last.error
  }
}

class SyncStack extends Stack {
  use<T extends Resource | null | undefined>(value: T): T {
    if (value !== null && value !== undefined) this.defer(releaseOf(value, false))
    return value
  }

  move(): SyncStack {
    return this.moveTo(new SyncStack())
  }

  dispose(): void {
    const failures = new Failures()
    for (const release of this.take()) {
      try {
        release()
      } catch (error) {
        failures.add(error)
      }
    }
    failures.throwAny()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

class AsyncStack extends Stack {
  use<T extends Resource | null | undefined>(value: T): T {
    if (value !== null && value !== undefined) this.defer(releaseOf(value, true))
    return value
  }

  move(): AsyncStack {
    return this.moveTo(new AsyncStack())
  }

  async disposeAsync(): Promise<void> {
    const failures = new Failures()
    for (const release of this.take()) {
      try {
        await release()
      } catch (error) {
        failures.add(error)
      }
    }
    failures.throwAny()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.disposeAsync()
  }
}

const language: Record<string, unknown> = globalThis
language['DisposableStack'] ??= SyncStack
language['AsyncDisposableStack'] ??= AsyncStack
