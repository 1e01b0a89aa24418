// One token for every caller, which another program made and keeps current, such as that of a service
// account. It is not requested, and does not identify the caller.

import { isBearerToken } from '../../authenticate/bearer/bearer-credentials.ts'
import type { Transformation, Transformer } from '../transformer.ts'
import { bearerHeader } from './bearer-header.ts'
import { writtenIn } from './token-answer.ts'

/** What the transformer needs. */
export interface ServiceTokenOptions {
  /** Where the token is, for messages. */
  readonly name: string
  /** What is there now. */
  readonly read: () => Promise<string>
}

/** `bearer.token`. */
export const serviceToken = ({ name, read }: ServiceTokenOptions): Transformer => {
  let known: { readonly text: string; readonly transformation: Transformation } | undefined
  return {
    kind: 'service-token',
    async transform() {
      try {
        const text = await read()
        if (known?.text !== text) {
          const transformation = transformationOf(name, text)
          known = { text, transformation }
        }
        return known.transformation
      } catch (cause) {
        return { outcome: 'unavailable', cause }
      }
    },
  }
}

const transformationOf = (name: string, text: string): Transformation => {
  if (isBearerToken(text)) return bearerHeader({ token: text, id: writtenIn(text).id })
  return { outcome: 'unavailable', cause: new Error(complaintAboutToken(name)) }
}

/** What is wrong with a text that is not one token. Without the text, which may be half of one. */
export const complaintAboutToken = (name: string): string =>
  `${name} does not hold exactly one token`
