// The input of a policy, as far as a test needs it.

import type { Question } from '../../src/authorize/question.ts'
import type { Identity } from '../../src/identity/identity.ts'
import { readTarget, type Published } from '../../src/request/target.ts'
import { requestOf, type RequestParts } from './envoy.ts'
import { identityOf } from './identity.ts'

/** The parts of a question that tests choose. */
export interface QuestionParts {
  readonly identity?: Partial<Identity>
  readonly request?: RequestParts
  /** What the route publishes; the target is read as the live path reads it. */
  readonly published?: Published
  readonly at?: number
  readonly review?: boolean
}

/** The question that the live path would ask. */
export const questionOf = ({
  identity = {},
  request: parts = {},
  published = { kind: 'http' },
  at = Date.UTC(2026, 0, 1),
  review,
}: QuestionParts = {}): Question => {
  const request = requestOf(parts)
  const reading = readTarget(published, request)
  if (reading.outcome === 'refused') throw new TypeError(`no target: ${reading.code}`)
  return { identity: identityOf(identity), request, ...reading.target, at, review }
}
