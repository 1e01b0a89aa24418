// Requests a review, of a token or of access, from a Kubernetes API server.

import type { JsonObject } from '../../runtime/json-object.ts'
import type { Asker } from '../../runtime/shared-server.ts'

/**
 * Posts a review, JSON, and reads the object that was answered.
 *
 * @param read throws for an invalid answer
 * @throws RateLimited where the caller exceeds its budget; else an Error with a message for operators, which
 *   holds nothing of the review
 */
export type AskReview = <T>(
  asker: Asker,
  review: string,
  read: (document: JsonObject) => T,
) => Promise<T>
