// How a Kubernetes API server is asked for a review, about a token or about access.

import type { JsonObject } from '../../runtime/json-object.ts'
import type { Asker } from '../../runtime/shared-server.ts'

/**
 * Posts a review, JSON, and reads the object that was answered.
 *
 * @param read throws for an answer that is none
 * @throws RateLimited where the caller asks too much; else an Error with a message for operators, which
 *   holds nothing of the review
 */
export type AskReview = <T>(
  asker: Asker,
  review: string,
  read: (document: JsonObject) => T,
) => Promise<T>
