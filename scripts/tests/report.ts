// Prints what test files came to, as they end, and the sum.

import type { Result } from './protocol.ts'

/** Collects results. */
export class Report {
  readonly #results: Result[] = []
  /** By path: of files that failed and ran once more. */
  readonly #second = new Map<string, Result>()
  readonly #started = performance.now()

  /** Takes and prints one result. */
  add(result: Result): void {
    this.#results.push(result)
    print(result)
  }

  /** Takes and prints the result of running a file that failed once more. */
  addSecond(result: Result): void {
    this.#second.set(result.path, result)
    print(result)
  }

  /** The paths of the files that failed. */
  get failed(): readonly string[] {
    return this.#results.filter(hasFailed).map(({ path }) => path)
  }

  /** How long each file took. */
  get times(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#results.map(({ path, seconds }) => [path, seconds]))
  }

  /** Prints the sum. Whether every file ran and passed, if only when it ran once more. */
  finish(paths: readonly string[]): boolean {
    const unsteady = this.#results.filter((result) => hasFailed(result) && this.#passedThen(result))
    const failed = this.#results.filter((result) => hasFailed(result) && !this.#passedThen(result))
    const ran = new Set(this.#results.map(({ path }) => path))
    const missing = paths.filter((path) => !ran.has(path))
    const sum = (of: (result: Result) => number): number =>
      this.#results.reduce((total, result) => total + of(result), 0)
    const seconds = (performance.now() - this.#started) / 1_000
    console.log(
      `\n${ran.size} files, ${sum(({ tests }) => tests)} tests (${sum(({ skipped }) => skipped)} skipped), ` +
        `${failed.length} files failed, ${seconds.toFixed(0)} s, ` +
        `${sum(({ cpuSeconds }) => cpuSeconds).toFixed(0)} s of CPU time`,
    )
    // Once more, where a reader of the end of a long log finds it.
    for (const result of unsteady) printFailure('⚠ passes when it runs once more:', result)
    for (const result of failed) printFailure('✖', result)
    for (const path of missing) console.log(`✖ ${path} did not run`)
    return failed.length === 0 && missing.length === 0
  }

  #passedThen({ path }: Result): boolean {
    return this.#second.get(path)?.problems.length === 0
  }
}

const hasFailed = ({ problems }: Result): boolean => problems.length > 0

const print = (result: Result): void => {
  const { path, tests, seconds, cpuSeconds, problems } = result
  const failed = problems.length > 0
  const line = `${failed ? '✖' : '✔'} ${path} (${tests} tests, ${seconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s)`
  console.log(failed ? [line, ...problems.map(indent)].join('\n') : line)
}

const printFailure = (mark: string, { path, problems }: Result): void => {
  console.log([`${mark} ${path}`, ...problems.map(shorten).map(indent)].join('\n'))
}

const SHORT = 3_000

const shorten = (text: string): string =>
  text.length <= SHORT
    ? text
    : `${text.slice(0, SHORT)}\n(${text.length - SHORT} characters more above)`

const indent = (text: string): string => text.replaceAll(/^/gm, '  ')
