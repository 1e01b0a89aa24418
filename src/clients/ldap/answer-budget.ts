// How much the servers of a directory may send for one login attempt, over all of its operations. A
// directory that lies, or an attacker between it and authz, would else choose how much memory and how
// much of the event loop an attempt takes.

import { DirectoryError } from './failure.ts'

/**
 * Bytes of all answers. A user's entry with 10,000 groups has about 1 MB; the entries of 500 nested
 * groups, with only their names and the groups that contain them, less than 1 MB together.
 */
const MOST_BYTES = 8_388_608

/** BER elements of all answers; each takes about 0.3 µs to read. An entry of a group has some ten. */
const MOST_ELEMENTS = 100_000

/** What is left of it. Each operation of the attempt takes from the same one. */
export class AnswerBudget {
  #bytes = MOST_BYTES
  #elements = MOST_ELEMENTS

  /**
   * Counts bytes that have arrived.
   *
   * @param server its URL, for the message
   * @throws DirectoryError `answered`, which does not count as a failure of the server: the size depends on one
   *   user's entry or on one user's requests
   */
  takeBytes(count: number, server: string): void {
    this.#bytes -= count
    if (this.#bytes < 0) throw tooMuch(server, `${MOST_BYTES} bytes`)
  }

  /**
   * Counts elements that were read.
   *
   * @throws DirectoryError as {@link AnswerBudget.takeBytes}
   */
  takeElements(count: number, server: string): void {
    this.#elements -= count
    if (this.#elements < 0) throw tooMuch(server, `${MOST_ELEMENTS} BER elements`)
  }
}

const tooMuch = (server: string, most: string): DirectoryError =>
  new DirectoryError('answered', `${server} sent more than ${most} for one login attempt`)
