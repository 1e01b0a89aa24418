// Whether processes grow: their resident memory, sampled.

import { residentOf } from '../../../bench/usage.ts'

/** The samples of one process, in MB, oldest first. */
export class Memory {
  readonly #pid: () => number
  readonly #samples: number[] = []

  constructor(pid: () => number) {
    this.#pid = pid
  }

  sample(): void {
    this.#samples.push(residentOf(this.#pid()) / 1e6)
  }

  /** Medians of the first third and the last third of the samples. */
  get ends(): readonly [number, number] {
    const third = Math.ceil(this.#samples.length / 3)
    return [median(this.#samples.slice(0, third)), median(this.#samples.slice(-third))]
  }
}

const median = (numbers: readonly number[]): number =>
  numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? Number.NaN
