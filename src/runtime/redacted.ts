// Values that no log, message or JSON can contain.

import { inspect } from 'node:util'

const REDACTED = '[redacted]'

/** The base of classes whose contents do not print. Keep the contents in private fields. */
export abstract class Redacted {
  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
