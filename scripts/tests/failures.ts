// The failed tests of one file, as text.

import { relative } from 'node:path'
import { inspect } from 'node:util'

interface Place {
  readonly name: string
  readonly nesting: number
  readonly file?: string | undefined
  readonly line?: number | undefined
}

interface Failed extends Place {
  readonly todo?: string | boolean | undefined
  readonly details: { readonly error: Error }
}

/** Collects the failures of one run. */
export class Failures {
  readonly problems: string[] = []
  readonly #names: string[] = []

  start({ name, nesting }: Place): void {
    this.#names.splice(nesting, Infinity, name)
  }

  fail({ name, nesting, file, line, todo, details: { error } }: Failed): void {
    if (todo !== undefined && todo !== false) return
    // The tests below it have been reported.
    if (Reflect.get(error, 'failureType') === 'subtestsFailed') return
    const names = [...this.#names.slice(0, nesting), name].join(' › ')
    const place = file === undefined ? '' : ` (${relative('.', file)}:${line ?? 0})`
    this.problems.push(`✖ ${names}${place}\n${inspect(error.cause ?? error)}`)
  }

  /** node:test reports an error outside any running test as a diagnostic. */
  diagnostic({ message }: { readonly message: string }): void {
    if (message.startsWith('Error: ') || message.startsWith('Warning: ')) {
      this.problems.push(`✖ ${message}`)
    }
  }
}
